// Preloaded, this makes a file system odd: directories do not tell the types of their entries, and
// one called "broken" fails behind its first names. One called "huge" has all the blocks there are.
#include <dirent.h>
#include <dlfcn.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace {

bool is_broken(int directory) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(directory);
  const ssize_t length = ::readlink(link.c_str(), path, sizeof path);
  return length > 0 && std::string(path, static_cast<std::size_t>(length)).ends_with("/broken");
}

template <class Function>
Function* next(Function*, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" [[gnu::visibility("default")]] ssize_t getdents64(int directory, void* buffer,
                                                             size_t size) noexcept {
  static std::set<int> begun;
  if (is_broken(directory) && !begun.insert(directory).second) {
    begun.erase(directory);
    errno = EIO;
    return -1;
  }
  const ssize_t got = next(&::getdents64, "getdents64")(directory, buffer, size);
  for (ssize_t at = 0; at < got;) {
    auto* const entry = reinterpret_cast<dirent64*>(static_cast<char*>(buffer) + at);
    entry->d_type = DT_UNKNOWN;
    // What is broken does not say that it is at its end.
    if (is_broken(directory)) entry->d_off = 1;
    at += entry->d_reclen;
  }
  return got;
}

extern "C" [[gnu::visibility("default")]] dirent64* readdir64(DIR* stream) {
  dirent64* const entry = next(&::readdir64, "readdir64")(stream);
  if (entry != nullptr) entry->d_type = DT_UNKNOWN;
  if (entry == nullptr && errno == 0 && is_broken(::dirfd(stream))) errno = EIO;
  return entry;
}

extern "C" [[gnu::visibility("default")]] int statvfs64(const char* path,
                                                        struct statvfs64* known) noexcept {
  const int done = next(&::statvfs64, "statvfs64")(path, known);
  if (done != 0 || !std::string_view(path).ends_with("/huge")) return done;
  known->f_frsize = 4096;
  known->f_blocks = UINT64_MAX;
  known->f_bfree = UINT64_MAX / 4096;
  known->f_bavail = 1;
  return done;
}
