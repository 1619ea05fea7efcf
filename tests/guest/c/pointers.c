/* Pointers and arrays: a linked list that is reversed, a matrix of rows, an array of strings, function
 * pointers, a binary tree, pointer differences. */
#include "check.h"

struct node {
    struct node *next;
    int value;
};

struct tree {
    struct tree *left, *right;
    uint64_t key;
};

static struct node *list_make(int n) {
    struct node *head = NULL;
    for (int i = 0; i < n; i++) {
        struct node *node = malloc(sizeof *node);
        CHECK(node);
        *node = (struct node){head, i};
        head = node;
    }
    return head;
}

static struct node *list_reverse(struct node *head) {
    struct node *reversed = NULL;
    while (head) {
        struct node *next = head->next;
        head->next = reversed;
        reversed = head;
        head = next;
    }
    return reversed;
}

static void lists(void) {
    struct node *head = list_reverse(list_make(1000));
    long sum = 0;
    int position = 0;
    for (struct node *node = head; node; node = node->next) {
        CHECK(node->value == position);
        sum += (long)node->value * position++;
    }
    printf("list %ld\n", sum);
    while (head) {
        struct node *next = head->next;
        free(head);
        head = next;
    }
}

static void matrices(void) {
    enum { N = 40 };
    int *rows[N];
    for (int i = 0; i < N; i++) {
        rows[i] = calloc(N, sizeof *rows[i]);
        CHECK(rows[i]);
        for (int j = 0; j < N; j++)
            *(rows[i] + j) = i * j;
    }
    int trace = 0;
    for (int i = 0; i < N; i++)
        trace += rows[i][N - 1 - i];
    printf("matrix %d\n", trace);
    for (int i = 0; i < N; i++)
        free(rows[i]);
}

static int add(int a, int b) {
    return a + b;
}
static int subtract(int a, int b) {
    return a - b;
}
static int multiply(int a, int b) {
    return a * b;
}

static void functions(void) {
    int (*const operations[])(int, int) = {add, subtract, multiply};
    const char *const names[] = {"add", "subtract", "multiply"};
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        printf("%s %d\n", names[i], operations[i](21, 2));
}

static struct tree *tree_insert(struct tree *tree, uint64_t key) {
    if (!tree) {
        tree = calloc(1, sizeof *tree);
        CHECK(tree);
        tree->key = key;
    } else if (key < tree->key) {
        tree->left = tree_insert(tree->left, key);
    } else {
        tree->right = tree_insert(tree->right, key);
    }
    return tree;
}

static unsigned tree_walk(const struct tree *tree, uint64_t *last) {
    if (!tree)
        return 0;
    unsigned left = tree_walk(tree->left, last);
    CHECK(tree->key >= *last);
    *last = tree->key;
    return left + 1 + tree_walk(tree->right, last);
}

int main(void) {
    lists();
    matrices();
    functions();
    struct tree *tree = NULL;
    uint64_t state = 42, last = 0;
    for (int i = 0; i < 2000; i++)
        tree = tree_insert(tree, next_random(&state));
    printf("tree %u\n", tree_walk(tree, &last));
    char text[] = "pointer";
    char *end = text + strlen(text);
    for (char *p = text; p < --end; p++) {
        char c = *p;
        *p = *end;
        *end = c;
    }
    printf("%s %td\n", text, &text[5] - &text[1]);
    return 0;
}
