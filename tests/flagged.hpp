// A file with flags of chattr(1), as long as this object lives.
#pragma once

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <string>

#include "core/sys/fs.hpp"

namespace tests {

class Flagged {
 public:
  Flagged(const std::string& path, int flags) {
    auto file = core::open(path, O_RDONLY);
    if (!file) return;
    file_ = *std::move(file);
    if (::ioctl(number(), FS_IOC_GETFLAGS, &before_) != 0) return;
    set_ = set(before_ | flags);
  }
  ~Flagged() {
    if (set_) set(before_);
  }
  Flagged(const Flagged&) = delete;
  Flagged& operator=(const Flagged&) = delete;

  /// False where its file system has no such flags, or it is not for everybody to set them.
  explicit operator bool() const { return set_; }

 private:
  int number() const { return core::FdRef(file_).number(); }
  bool set(int flags) const { return ::ioctl(number(), FS_IOC_SETFLAGS, &flags) == 0; }

  core::Fd file_;
  int before_ = 0;
  bool set_ = false;
};

}  // namespace tests
