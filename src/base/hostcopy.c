/* The guard of hostcopy.S: see hostcopy.h. Nothing is remembered anywhere; the code's own addresses say
 * whether the interrupted instruction was the copy. */
#include "base/hostcopy.h"

#include <errno.h>
#include <stdint.h>
#include <ucontext.h>

#include "base/rescue.h"

extern const uint8_t hostcopy_touches[], hostcopy_failed[]; /* places in hostcopy.S */

_Static_assert(EFAULT == 14, "hostcopy.S returns it");

void hostcopy_signal(int signal, siginfo_t *info, void *context) {
    greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    if (info->si_code > 0 && *rip == (greg_t)(uintptr_t)hostcopy_touches) {
        *rip = (greg_t)(uintptr_t)hostcopy_failed;
        return;
    }
    rescue_catch(signal, info, context);
    /* The signal is blocked until we return: then it takes effect, and a core dump shows the right place. */
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    raise(signal);
}

bool hostcopy_is_guarded(void) {
    struct sigaction now;
    return sigaction(SIGBUS, NULL, &now) == 0 && now.sa_flags & SA_SIGINFO &&
           now.sa_sigaction == hostcopy_signal;
}
