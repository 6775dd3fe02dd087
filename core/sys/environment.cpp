#include "core/sys/environment.hpp"

#include <unistd.h>

#include <unordered_map>

namespace core {
namespace {

/// True for what can stand in front of a '='.
bool is_name(std::string_view text) { return !text.empty() && text.find('=') == text.npos; }

/// The entries of an environment, found by their names.
class Entries {
 public:
  explicit Entries(std::span<const char* const> texts) {
    entries_.reserve(texts.size());
    for (const char* const text : texts) {
      const Variable variable = Variable::of(text);
      if (variable.value) places_[std::string(variable.name)].push_back(entries_.size());
      entries_.emplace_back(text);
    }
  }

  void set(const std::string& name, std::string_view value) {
    std::vector<std::size_t>& places = places_[name];
    if (places.empty()) {
      places.push_back(entries_.size());
      entries_.emplace_back();
    }
    remove(std::span(places).subspan(1));
    places.resize(1);
    entries_[places[0]] = std::string(name).append("=").append(value);
  }

  void unset(const std::string& name) {
    const auto at = places_.find(name);
    if (at == places_.end()) return;
    remove(at->second);
    places_.erase(at);
  }

  void clear() {
    entries_.clear();
    places_.clear();
  }

  std::vector<std::string> left() && {
    std::vector<std::string> all;
    all.reserve(entries_.size());
    for (auto& entry : entries_) {
      if (entry) all.push_back(*std::move(entry));
    }
    return all;
  }

 private:
  void remove(std::span<const std::size_t> places) {
    for (const std::size_t place : places) entries_[place].reset();
  }

  std::vector<std::optional<std::string>> entries_;
  std::unordered_map<std::string, std::vector<std::size_t>> places_;
};

}  // namespace

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
  using enum EnvironmentChange::How;
  Entries entries(environment());
  for (const EnvironmentChange& change : changes) {
    if (change.how != clear && !is_name(change.name)) {
      if (change.how == unset) return failure(EINVAL, "unsetenv", change.name);
      return failure(EINVAL, "setenv", change.name + "=" + change.value);
    }
    switch (change.how) {
      case set:
        entries.set(change.name, change.value);
        break;
      case unset:
        entries.unset(change.name);
        break;
      case clear:
        entries.clear();
        break;
    }
  }
  return std::move(entries).left();
}

Result<std::optional<std::string_view>> getenv(std::string_view name) {
  if (!is_name(name)) return failure(EINVAL, "getenv", name);
  for (const char* const entry : environment()) {
    const Variable variable = Variable::of(entry);
    if (variable.name == name && variable.value) return variable.value;
  }
  return std::nullopt;
}

}  // namespace core
