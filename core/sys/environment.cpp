#include "core/sys/environment.hpp"

#include <unistd.h>

namespace core {

Variable Variable::of(std::string_view entry) {
  const std::size_t equals = entry.find('=');
  if (equals == entry.npos) return {entry, std::nullopt};
  return {entry.substr(0, equals), entry.substr(equals + 1)};
}

std::span<const char* const> environment() {
  std::size_t count = 0;
  while (::environ != nullptr && ::environ[count] != nullptr) ++count;
  return {::environ, count};
}

Result<std::vector<std::string>> changed_environment(std::span<const EnvironmentChange> changes) {
  std::vector<std::string> entries;
  for (const char* const entry : environment()) entries.emplace_back(entry);
  for (const EnvironmentChange& change : changes) {
    std::erase_if(entries, [&](const std::string& entry) {
      return change.how == EnvironmentChange::How::clear || entry.starts_with(change.name + "=");
    });
    if (change.how == EnvironmentChange::How::set) {
      entries.push_back(change.name + "=" + change.value);
    }
  }
  return entries;
}

Result<std::optional<std::string_view>> getenv(std::string_view name) {
  if (name.empty() || name.find('=') != name.npos) return failure(EINVAL, "getenv", name);
  for (const char* const entry : environment()) {
    const Variable variable = Variable::of(entry);
    if (variable.name == name && variable.value) return variable.value;
  }
  return std::nullopt;
}

}  // namespace core
