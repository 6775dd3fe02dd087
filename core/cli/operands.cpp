#include "core/cli/operands.hpp"

#include <fcntl.h>

#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"

namespace cli {

core::Result<void> Operands::open_files0() {
  if (*files0_ != "-") file_ = TRY(core::open(*files0_, O_RDONLY));
  return {};
}

bool Operands::is_of_lines() const { return !listed_ && buffer_.find('\n') != buffer_.npos; }

std::unexpected<core::Error> Operands::no_list(int number) const {
  const char* const note =
      is_of_lines() ? "no NUL in it; if its names end in newlines, use tr '\\n' '\\0'" : "";
  return std::unexpected(
      core::Error{.number = number, .call = "read", .path = files0_, .note = note});
}

core::Result<std::optional<core::Path>> Operands::next(out::Io& io) {
  constexpr std::size_t block = 64 << 10;
  // Far more than any path; a file without NULs is none of operands, and must not fill the memory.
  constexpr std::size_t longest = 1 << 20;
  for (;;) {
    const std::size_t end = buffer_.find('\0', used_);
    if (end != buffer_.npos) {
      const char* const path = buffer_.c_str() + used_;
      used_ = end + 1;
      listed_ = true;
      return path;
    }
    if (ended_) {
      // The last one may lack its NUL.
      if (used_ == buffer_.size()) return std::nullopt;
      if (is_of_lines() && buffer_.ends_with('\n')) return no_list(EINVAL);
      return buffer_.c_str() + std::exchange(used_, buffer_.size());
    }
    io.flush();
    buffer_.erase(0, std::exchange(used_, 0));
    const std::size_t kept = buffer_.size();
    if (kept >= longest) return no_list(ENAMETOOLONG);
    buffer_.resize(kept + block);
    const auto count = core::read(file_ ? core::FdRef(file_) : core::FdRef::standard_input(),
                                  buffer_.data() + kept, block);
    if (!count) return core::failure(count.error().number, "read", *files0_);
    buffer_.resize(kept + *count);
    ended_ = *count == 0;
  }
}

bool not_gone_into(core::Error& error, core::Path what, core::Path there, core::At at) {
  const auto found = core::lstat(there, core::want::type, at);
  if (!found || found->type != core::Type::dir) return false;
  error.note = "a directory is not gone into";
  std::string_view name = core::without_slashes(what);
  name.remove_prefix(name.rfind('/') + 1);
  if (name.empty() || name == "." || name == "..") return true;
  std::string path(core::without_slashes(there));
  if (!path.ends_with('/')) path += '/';
  path += name;
  // It may be the old one.
  const auto taken = core::lstat(path, core::want::nothing, at);
  if (taken || taken.error().number != ENOENT) return true;
  error.note = core::joined_notes(error.note, "the new name would be");
  error.note_path = std::move(path);
  return true;
}

}  // namespace cli
