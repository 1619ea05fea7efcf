/* The scenario part of a machine file: the moments of its run that are worth a picture, and the series of
 * machines that are worth comparing. */
#include <string.h>

#include "scenario/parts.h"

/* The pictures that are there already, by name. */
static const struct machine_picture *picture_named(const struct machine_file *f, const char *name) {
    for (size_t i = 0; i < f->picture_count; i++)
        if (!strcmp(f->pictures[i].name, name))
            return &f->pictures[i];
    return NULL;
}

static void goal_read(const struct node *n, struct goal *goal) {
    const char *wrong = goal_parse(node_text(n), goal, NULL);
    if (wrong)
        node_wrong(n, "'%s': %s", json_string_value(n->value), wrong);
}

/* The goals of the picture that this one comes after, then its own. */
static void goals_read(struct machine_file *f, const struct node *object, struct machine_picture *p) {
    struct node after, until;
    const struct machine_picture *before = NULL;
    if (node_find(object, "after", &after)) {
        before = picture_named(f, node_text(&after));
        if (!before)
            node_wrong(&after, "there is no picture '%s' before this one", node_text(&after));
    }
    const size_t inherited = before ? before->goal_count : 0;
    const size_t own = node_find(object, "until", &until) ? node_count(&until) : 0;
    struct goal *goals = reader_allocate(f->reader, inherited + own + 1, sizeof *goals);
    if (!goals)
        return;
    if (inherited)
        memcpy(goals, before->goals, inherited * sizeof *goals);
    for (size_t i = 0; i < own; i++) {
        const struct node n = node_at(&until, i);
        goal_read(&n, &goals[inherited + i]);
    }
    p->goals = goals;
    p->goal_count = inherited + own;
}

static const char *name_read(const struct machine_file *f, const struct node *object) {
    struct node n;
    if (!node_need(object, "name", &n))
        return "";
    const char *name = node_text(&n);
    if (!*name || strchr(name, '/') || strspn(name, "-") == strlen(name))
        node_wrong(&n, "'%s' cannot be the name of a picture", name);
    else if (picture_named(f, name))
        node_wrong(&n, "there is another picture '%s' in this file", name);
    return name;
}

static enum picture_kind kind_read(const struct node *n) {
    const char *names[PICTURE_KINDS + 1] = {NULL};
    for (enum picture_kind kind = PICTURE_AUTO; kind < PICTURE_KINDS; kind++)
        names[kind] = picture_kind_name(kind);
    return (enum picture_kind)node_choice(n, names);
}

static struct machine_picture picture_read(struct machine_file *f, const struct node *object) {
    static const char *const known[] = {"name", "title", "caption",      "after", "until",
                                        "kind", "pids",  "real_numbers", NULL};
    struct machine_picture p = {.name = "", .title = "", .caption = ""};
    struct node n;
    if (!node_is_object(object, known))
        return p;
    p.name = name_read(f, object);
    p.title = node_find(object, "title", &n) ? node_text(&n) : f->title;
    p.caption = node_find(object, "caption", &n) ? node_text(&n) : "";
    p.kind = node_find(object, "kind", &n) ? kind_read(&n) : PICTURE_AUTO;
    p.real_numbers = node_find(object, "real_numbers", &n) && node_flag(&n);
    if (node_find(object, "pids", &n))
        p.pids = numbers_read(&n, UINT32_MAX, &p.pid_count);
    goals_read(f, object, &p);
    return p;
}

static void pictures_read(struct machine_file *f, const struct node *list) {
    const size_t count = node_count(list);
    f->pictures = reader_allocate(f->reader, count + 1, sizeof *f->pictures);
    for (size_t i = 0; f->pictures && i < count; i++) {
        const struct node n = node_at(list, i);
        f->pictures[i] = picture_read(f, &n);
        f->picture_count++;
    }
}

static void series_read(struct machine_file *f, const struct node *object) {
    static const char *const known[] = {"frames", "policies", NULL};
    struct machine_series *s = &f->series;
    struct node list;
    if (!node_is_object(object, known))
        return;
    if (node_find(object, "frames", &list))
        s->frames = numbers_read(&list, UINT32_MAX - 1, &s->frame_count);
    if (node_find(object, "policies", &list))
        s->policies = texts_read(&list, &s->policy_count);
}

void scenario_read(struct machine_file *f, const struct node *scenario) {
    static const char *const known[] = {"pictures", "series", NULL};
    struct node n;
    if (!node_is_object(scenario, known))
        return;
    if (node_need(scenario, "pictures", &n))
        pictures_read(f, &n);
    if (node_find(scenario, "series", &n))
        series_read(f, &n);
}
