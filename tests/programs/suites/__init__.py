"""The suites: each module offers cases(), compared with the host, or checks(), which judge for themselves."""
