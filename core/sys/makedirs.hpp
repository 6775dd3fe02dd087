// makedirs and removedirs: a directory with the parents that its path names. Both go down the path
// by descriptor, so that it may be of any length and deeper than PATH_MAX, and hold at most three
// descriptors at a time. Nothing recurses.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"

namespace core {

/// Makes the directory `path` with the permissions `mode` less the umask, and before it the parents
/// that are missing, with 0777 less the umask. A parent that somebody else makes at the same time
/// is as good; of the directory itself there is but one maker, and EEXIST for all others, unless
/// `exist_ok` is content with a directory that is there, or with a link to one. Links in what
/// exists are followed; what was made here is entered only as the directory that it is, so that
/// nobody leads it elsewhere: ELOOP. A link to nowhere is ENOENT.
///
/// `made` gets what was made, each a beginning of `path`, outermost first; after a failure too.
/// mkdir(2)
Result<void> makedirs(Path path, mode_t mode, bool exist_ok, At at = {},
                      std::vector<std::string_view>* made = nullptr);

/// Removes the empty directory `path`, and then each parent that `path` names until one is not
/// empty, in use or not the caller's to remove, which is no failure; anything else, as EIO, is one.
/// Nothing but what was there on the way down is gone through on the way up. A component that is a
/// link, "." or ".." ends the parents.
///
/// `stop`, a directory above, stays, and all that is above it: it is known by its device and inode.
/// EINVAL, and nothing is removed, where it is not above.
///
/// `removed` gets what was removed, each a beginning of `path`, innermost first. rmdir(2)
Result<void> removedirs(Path path, At at = {}, std::optional<FdRef> stop = std::nullopt,
                        std::vector<std::string_view>* removed = nullptr);

}  // namespace core
