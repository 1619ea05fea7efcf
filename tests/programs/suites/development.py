"""What a programmer runs all day: git, make, cmake, ./configure, compressors with threads, C++ programs."""
from cases import Case

IDENTITY = {
    "GIT_AUTHOR_NAME": "A Person", "GIT_AUTHOR_EMAIL": "person@example.org", "GIT_AUTHOR_DATE": "2020-02-02T02:02:02Z",
    "GIT_COMMITTER_NAME": "A Person", "GIT_COMMITTER_EMAIL": "person@example.org",
    "GIT_COMMITTER_DATE": "2020-02-02T02:02:02Z", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
}
# The repository itself is taken away: its index holds times and inode numbers.
GIT = r"""
set -e
git init -q -b main project
cd project
for i in 1 2 3 4 5; do
    seq $((i * 100)) > file$i
    mkdir -p folder$i && echo "text $i" > folder$i/a && ln -sf ../file1 folder$i/link
    git add . && git commit -q -m "commit $i"
done
git log --stat --graph
git checkout -q -b side HEAD~2
sed -i 's/^5/five/' file1 && git commit -q -a -m side && git diff main --stat
git checkout -q main && git merge -q -m merged side && git log --oneline --graph
sed -i 3d file2 && git diff && git status --short && git stash -q && git stash pop -q && git checkout -q file2
git mv file3 moved && rm file4 && git status --porcelain && git reset -q --hard
git tag -a -m "a tag" v1 && git describe && git rev-parse HEAD && git show HEAD~1:file1 | md5sum
git blame -s file1 | head -8
git gc -q --prune=now && git count-objects -v && git fsck --strict && ls .git/objects/pack | wc -l
cd ..
git clone -q project copy && git -C copy log --oneline | wc -l && git clone -q --bare --no-local project bare.git
git -C copy rebase -q HEAD~3 2>&1; echo more >> copy/file5; git -C copy commit -q -a -m more
git -C copy push -q ../bare.git main && git -C bare.git log -1 --format='%H %s'
git -C bare.git archive main | tar -tf - | wc -l; git -C project grep -n 99 | head -5
rm -rf project copy bare.git
"""
MAKEFILE = r"""
objects = a.o b.o c.o d.o
all: program check
program: $(objects) ; @gcc -o $@ $^ && echo linked
%.o: %.c common.h ; @gcc -O1 -c -o $@ $<
%.c: ; @printf '#include "common.h"\nint $*(void) { return COMMON; }\n' > $@
a.c: ; @printf '#include "common.h"\nint b(void), c(void), d(void);\nint main(void) { return COMMON + b() + c() + d(); }\n' > $@
common.h: ; @echo '#define COMMON 4' > $@
check: program ; @./program; echo status $$?
clean: ; @rm -f *.o *.c *.h program
"""
MAKE = "make -s -j2 && touch -d 2001-01-01 a.c b.c && make -s -j2 -q check; echo $? && make -s clean && make -j2 -n | sort"
CMAKE_LISTS = r"""
cmake_minimum_required(VERSION 3.18)
project(example C)
include(CheckFunctionExists)
include(CheckIncludeFile)
include(CheckTypeSize)
check_function_exists(mmap HAVE_MMAP)
check_function_exists(no_such_function HAVE_NONE)
check_include_file(sys/epoll.h HAVE_EPOLL)
check_type_size("long double" LONG_DOUBLE)
find_package(Threads REQUIRED)
configure_file(config.h.in config.h)
add_library(part SHARED part.c)
add_executable(example example.c)
target_include_directories(example PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
target_link_libraries(example part Threads::Threads)
enable_testing()
add_test(NAME example COMMAND example)
"""
CMAKE_CONFIG = "#cmakedefine HAVE_MMAP\n#cmakedefine HAVE_NONE\n#cmakedefine HAVE_EPOLL\n#define SIZE @LONG_DOUBLE@\n"
CMAKE = r"""
cmake -S . -B build > log || { cat log; exit 1; }
grep -v -e ABI -e compiler: -e 'written to' log; cat build/config.h
cmake --build build -j 2 > log 2>&1 || cat log; sort log | sed 's/^\[ *[0-9]*%\]//' | grep -c -e Building -e Linking
build/example; echo $?
cd build && ctest -Q > /dev/null; echo $?; cd ..
rm -rf build log
"""
CONFIGURE_AC = r"""
AC_INIT([example], [1.0])
AC_CONFIG_HEADERS([config.h])
AC_PROG_CC
AC_CHECK_HEADERS([sys/mman.h sys/none.h])
AC_CHECK_FUNCS([mmap fork no_such_function])
AC_CHECK_LIB([m], [sqrt])
AC_C_BIGENDIAN
AC_C_INLINE
AC_TYPE_PID_T
AC_CHECK_SIZEOF([long])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
"""
CONFIGURE_MAKEFILE = "all: example\nexample: example.c config.h\n\t@CC@ @CFLAGS@ -I. -o $@ example.c\n"
CONFIGURE_SOURCE = '#include "config.h"\n#include <stdio.h>\nint main(void) { printf("%s %d\\n", PACKAGE_STRING, SIZEOF_LONG); return HAVE_MMAP + 1; }\n'
CONFIGURE = r"""
autoconf && autoheader && ./configure > log || { cat log; exit 1; }
cat log config.h && make -s && ./example; echo $?
rm -rf log config.log config.status autom4te.cache configure config.h.in~ example
"""
SORT = "seq 150000 | sort -R --random-source=numbers > mixed && sort -n --parallel=4 -S 2M mixed | md5sum && sort --parallel=2 mixed | tail -2; rm mixed"
SORT_NUMBERS = bytes(i * 7919 % 251 for i in range(1 << 20))
COMPRESS = r"""
seq 300000 > numbers
PACK -T2 -k numbers && PACK -t numbers.* && PACK -d -c numbers.* | md5sum && wc -c < numbers.* && rm numbers*
"""


def lay_out(**files):
    """Puts these into the folder; two underscores in a name stand for a dot."""
    def lay(folder):
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (folder / name.replace("__", ".")).write_bytes(data)
    return lay


def shell(name, script, **keywords):
    keywords.setdefault("timeout", 120)
    return Case(name, ["bash", "-c", script], **keywords)


def program(name, *arguments, **keywords):
    return Case(name, ["{guests}/programs/programs-" + name, *arguments], timeout=120, **keywords)


def cases():
    yield shell("git", GIT, heavy=True, few=620, environment=IDENTITY)
    yield shell("make", MAKE, heavy=True, few=1130, files=lay_out(Makefile=MAKEFILE))
    yield shell("sort-parallel", SORT, heavy=True, few=780, files=lay_out(numbers=SORT_NUMBERS))
    yield shell("xz-threads", COMPRESS.replace("PACK", "xz"), heavy=True, few=1500)
    yield shell("configure", CONFIGURE, heavy=True, few=2500, files=lay_out(
        configure__ac=CONFIGURE_AC, Makefile__in=CONFIGURE_MAKEFILE, example__c=CONFIGURE_SOURCE))
    yield shell("cmake", CMAKE, heavy=True, few=2250, files=lay_out(
        CMakeLists__txt=CMAKE_LISTS, config__h__in=CMAKE_CONFIG, part__c="int part(void) { return 3; }\n",
        example__c='#include "config.h"\nint part(void);\nint main(void) { return part() + SIZE; }\n'))
    yield shell("zstd-threads", COMPRESS.replace("PACK", "zstd -q"))
    yield program("pthreads")
    yield program("exceptions")
    yield program("plugins", "{guests}/programs/libexception-library.so")
