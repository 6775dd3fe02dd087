#include <strings.h>
#include <charconv>

#include "core/cli/applet.hpp"
#include "core/sys/error.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  std::vector<std::string> errors;
  std::optional<std::string> search;
};

constexpr Option options[] = {
    value<&Args::search>(0, "search", "TEXT", "Only those with TEXT in their name or message"),
    operands<&Args::errors>("ERR", "Number or name of an error; none: all of them", Least::none,
                            Completes::errno_name),
};

struct Row {
  int number;
  std::string_view name;
  std::string_view message() const { return core::error_message(number); }
  std::optional<std::string_view> alias() const {
    const std::string_view other = core::error_alias(number);
    if (other.empty()) return std::nullopt;
    return other == name ? core::error_name(number) : other;
  }
};

constexpr Field fields[] = {
    integer<&Row::number>("errno", "The number on this system"),
    text<&Row::name>("name", "The symbol, ENOENT; of two for one number the one asked for"),
    text<&Row::message>("message", "The C library's text"),
    text<&Row::alias>("alias", "The other symbol, where there are two"),
};

constexpr Table tables[] = {{.fields = fields, .line = "[{errno:>2}] {name:<6}: {message}"}};
/// With columns for the longest there are.
constexpr Table list_of_all = {.fields = fields, .line = "[{errno:>3}] {name:<15}: {message}"};

constexpr Example examples[] = {
    {"strerror 2 4 16", "What these numbers stand for"},
    {"strerror --search directory", "Every error that has to do with directories"},
    {"strerror --format '{errno}' EAGAIN", "The number of a name"},
};

/// `text` as a number or a symbol of an error that exists.
std::optional<Row> find(std::string_view text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  if (const auto read = std::from_chars(text.data(), end, number);
      read.ec == std::errc() && read.ptr == end) {
    const std::string_view name = core::error_name(number);
    if (name.empty()) return std::nullopt;
    return Row{number, name};
  }
  const auto named = core::error_number(text);
  if (!named) return std::nullopt;
  return Row{*named, core::error_alias(*named) == text ? core::error_alias(*named)
                                                       : core::error_name(*named)};
}

bool contains(std::string_view text, std::string_view part) {
  for (std::size_t at = 0; at + part.size() <= text.size(); ++at) {
    if (::strncasecmp(text.data() + at, part.data(), part.size()) == 0) return true;
  }
  return false;
}

Outcome run(Args& args, Io& io) {
  const bool all = args.errors.empty() && !args.search;
  auto records = TRY(io.records<Row>(all ? list_of_all : tables[0]));
  const auto put = [&](const Row& row) {
    if (args.search && !contains(row.name, *args.search) &&
        !contains(row.message(), *args.search) && !contains(row.alias().value_or(""), *args.search))
      return false;
    records.put(row);
    return true;
  };
  bool found = false;
  for (const std::string& error : args.errors) {
    if (const auto row = find(error)) {
      found = put(*row) || found;
    } else {
      io.fail({.number = EINVAL, .call = "strerror", .path = error, .note = "no such error"});
    }
  }
  for (int number = 1; args.errors.empty() && number <= core::max_error_number; ++number) {
    const std::string_view name = core::error_name(number);
    if (!name.empty()) found = put({number, name}) || found;
  }
  return found ? 0 : 1;
}

}  // namespace

extern constexpr Applet strerror = {
    .name = "strerror",
    .group = Group::processes,
    .summary = "say what error numbers and names stand for",
    .description =
        "Prints the symbol and the text of every ERR, a number or a symbol such as ENOENT. "
        "Without ERR all errors of this system are printed, in the order of their numbers.\n\n"
        "Some numbers have two symbols, as EAGAIN and EWOULDBLOCK. Either may be given; the other "
        "one is the field alias. A number or a symbol that stands for no error is a failure with "
        "EINVAL; 0 is one of them. With --search the status is 1 where nothing was found.",
    .options = options,
    .tables = tables,
    .examples = examples,
    .see_also = "errno(3), strerror(3)",
    .main = runs<run>,
};

}  // namespace applets
