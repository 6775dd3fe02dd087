#include "core/sys/xattr.hpp"

#include <sys/xattr.h>

#include "core/sys/fs.hpp"

namespace core {
namespace {

/// What `open` returns, called with the number of a descriptor, or where it was opened with O_PATH
/// what `path` does with its name in /proc. `path` follows that name, and nothing behind it.
template <class OnOpen, class OnPath>
auto call(FdRef fd, OnOpen open, OnPath path) {
  auto done = open(fd.number());
  if (done >= 0 || errno != EBADF) return done;
  done = path(descriptor_path(fd).c_str());
  if (done < 0 && errno == ENOENT) errno = ENOSYS;
  return done;
}

/// A value of a length that is asked for first, and that may grow meanwhile.
template <class Get>
Result<std::string> whole(const char* call, Get get) {
  for (;;) {
    std::string text;
    const ssize_t size = get(nullptr, 0);
    if (size > 0) {
      text.resize(static_cast<std::size_t>(size));
      const ssize_t got = get(text.data(), text.size());
      if (got < 0 && errno == ERANGE) continue;
      if (got < 0) return failure(call);
      text.resize(static_cast<std::size_t>(got));
    }
    if (size < 0) return failure(call);
    return text;
  }
}

}  // namespace

Result<std::vector<std::string>> listxattr(FdRef fd) {
  const auto list = whole("listxattr", [fd](char* to, std::size_t size) {
    return call(
        fd, [=](int number) { return ::flistxattr(number, to, size); },
        [=](const char* path) { return ::listxattr(path, to, size); });
  });
  std::vector<std::string> names;
  if (!list && list.error().number == ENOTSUP) return names;
  if (!list) return std::unexpected(list.error());
  for (std::size_t at = 0; at < list->size(); at += names.back().size() + 1) {
    names.emplace_back(list->c_str() + at);
  }
  return names;
}

Result<std::string> getxattr(FdRef fd, const std::string& name) {
  return whole("getxattr", [&](char* to, std::size_t size) {
    return call(
        fd, [&](int number) { return ::fgetxattr(number, name.c_str(), to, size); },
        [&](const char* path) { return ::getxattr(path, name.c_str(), to, size); });
  });
}

Result<void> setxattr(FdRef fd, const std::string& name, const std::string& value) {
  const int done = call(
      fd,
      [&](int number) { return ::fsetxattr(number, name.c_str(), value.data(), value.size(), 0); },
      [&](const char* path) {
        return ::setxattr(path, name.c_str(), value.data(), value.size(), 0);
      });
  if (done != 0) return failure("setxattr");
  return {};
}

Result<void> removexattr(FdRef fd, const std::string& name) {
  const int done = call(
      fd, [&](int number) { return ::fremovexattr(number, name.c_str()); },
      [&](const char* path) { return ::removexattr(path, name.c_str()); });
  if (done != 0) return failure("removexattr");
  return {};
}

}  // namespace core
