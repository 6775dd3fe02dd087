// Extended attributes of a file, access control lists among them.
#pragma once

#include <string>
#include <vector>

#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"

namespace core {

// Each takes a descriptor, which may have been opened with O_PATH; ENOSYS then, without /proc.

/// The names of all attributes that this process may see; none where the file system has no such
/// thing. listxattr(2)
Result<std::vector<std::string>> listxattr(FdRef fd);

/// The value of one; ENODATA where there is none, ENOTSUP where there cannot be. getxattr(2)
Result<std::string> getxattr(FdRef fd, const std::string& name);

/// Sets one. setxattr(2)
Result<void> setxattr(FdRef fd, const std::string& name, const std::string& value);

/// Takes one away. removexattr(2)
Result<void> removexattr(FdRef fd, const std::string& name);

}  // namespace core
