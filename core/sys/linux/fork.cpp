#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "core/sys/backend.hpp"

// The checker of leaks does not see what a process outside of this one has still in use.
#if defined __SANITIZE_ADDRESS__
#define OSBOX_CHECKED_MEMORY
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define OSBOX_CHECKED_MEMORY
#endif
#endif

namespace core::backend {

pid_t fork_sharing_memory(int (*work)(void*), void* argument) {
#if defined SYS_clone3 && !defined OSBOX_CHECKED_MEMORY
  // Valgrind and its like, which know fork and vfork alone, end a program that asks for more. They
  // do not know this call either, and it can be asked for without harm.
  if (::syscall(SYS_clone3, nullptr, 0) == 0 || errno != EINVAL) {
    return posix::fork_sharing_memory(work, argument);
  }
  constexpr std::size_t stack_size = 256 << 10;
  void* const stack = ::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (stack == MAP_FAILED) return -1;
  // What is too much for the stack must not be written elsewhere.
  ::mprotect(stack, static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), PROT_NONE);
  // Before Linux 5.16 a core dump of this process would end the other one too.
  const pid_t child =
      ::clone(work, static_cast<char*>(stack) + stack_size, CLONE_VM | SIGCHLD, argument);
  if (child < 0) ::munmap(stack, stack_size);
  return child;
#else
  return posix::fork_sharing_memory(work, argument);
#endif
}

}  // namespace core::backend
