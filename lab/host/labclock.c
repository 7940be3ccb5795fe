/* labclock: a wall clock of its own for every host of a lab.
 *
 * /etc/ld.so.preload loads it into every process of the host. The host's shift, a signed 64-bit count of
 * nanoseconds in native byte order, is the file /run/labclock: mapped when a process starts, so that a change
 * reaches all running processes at once. After that no file is opened (sshd's sandbox would kill the process)
 * and no lock, allocation or dlsym is used (allocators read the clock from within malloc).
 *
 * Setting the time (date -s) changes the host's shift and never the machine's clock.
 * Not shifted: file times, statically linked programs, and what the kernel says itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SHIFT_FILE "/run/labclock"
#define SECOND 1000000000LL

static const volatile int64_t *shared_shift;

static int64_t shift(void)
{
    return shared_shift ? *shared_shift : 0;
}

__attribute__((constructor)) static void map_shift(void)
{
    int saved = errno;
    long fd = syscall(SYS_openat, AT_FDCWD, SHIFT_FILE, O_RDONLY | O_CLOEXEC, 0);
    if (fd >= 0) {
        void *page = mmap(NULL, sizeof *shared_shift, PROT_READ, MAP_SHARED, (int)fd, 0);
        if (page != MAP_FAILED)
            shared_shift = page;
        syscall(SYS_close, fd);
    }
    errno = saved;
}

static int is_wall(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

static long machine_time(clockid_t clock, struct timespec *now)
{
    return syscall(SYS_clock_gettime, clock, now);
}

static void move(struct timespec *moment, int64_t by)
{
    moment->tv_sec += by / SECOND;
    moment->tv_nsec += by % SECOND;
    if (moment->tv_nsec >= SECOND) {
        moment->tv_sec++;
        moment->tv_nsec -= SECOND;
    } else if (moment->tv_nsec < 0) {
        moment->tv_sec--;
        moment->tv_nsec += SECOND;
    }
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (machine_time(clock, now))
        return -1;
    if (is_wall(clock))
        move(now, shift());
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec fine;
    if (clock_gettime(CLOCK_REALTIME, &fine))
        return -1;
    now->tv_sec = fine.tv_sec;
    now->tv_usec = fine.tv_nsec / 1000;
    if (zone)
        *(struct timezone *)zone = (struct timezone){0, 0};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int timespec_get(struct timespec *now, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

int clock_settime(clockid_t clock, const struct timespec *wanted)
{
    struct timespec now;
    int64_t by;
    long fd, written;
    if (clock != CLOCK_REALTIME || wanted->tv_nsec < 0 || wanted->tv_nsec >= SECOND) {
        errno = EINVAL;
        return -1;
    }
    machine_time(CLOCK_REALTIME, &now);
    by = (wanted->tv_sec - now.tv_sec) * SECOND + (wanted->tv_nsec - now.tv_nsec);
    fd = syscall(SYS_openat, AT_FDCWD, SHIFT_FILE, O_WRONLY | O_CLOEXEC, 0);
    written = fd < 0 ? -1 : syscall(SYS_pwrite64, fd, &by, sizeof by, 0L);
    if (fd >= 0)
        syscall(SYS_close, fd);
    if (written == sizeof by)
        return 0;
    errno = EPERM;
    return -1;
}

int settimeofday(const struct timeval *wanted, const struct timezone *zone)
{
    struct timespec fine;
    (void)zone;
    if (!wanted)
        return 0;
    fine.tv_sec = wanted->tv_sec;
    fine.tv_nsec = wanted->tv_usec * 1000L;
    return clock_settime(CLOCK_REALTIME, &fine);
}

/* A deadline read off the host's clock is given to the kernel on the machine's clock. Returns the error, as POSIX wants. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request, struct timespec *remain)
{
    struct timespec until = *request;
    int saved = errno, error;
    if (is_wall(clock) && (flags & TIMER_ABSTIME))
        move(&until, -shift());
    error = syscall(SYS_clock_nanosleep, clock, flags, &until, remain) ? errno : 0;
    errno = saved;
    return error;
}
