#include "core/out/io.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "core/out/json.hpp"
#include "core/out/number.hpp"
#include "core/out/quote.hpp"

namespace out {
namespace {

/// The width of a line: what $COLUMNS says, else that of the terminal.
unsigned columns_of(core::FdRef output, bool terminal) {
  const char* const text = std::getenv("COLUMNS");
  const std::string_view asked = text != nullptr ? text : "";
  unsigned columns = 0;
  const auto read = std::from_chars(asked.data(), asked.data() + asked.size(), columns);
  const bool whole = read.ec == std::errc() && read.ptr == asked.data() + asked.size();
  if (whole && columns > 0) return columns;
  winsize size;
  if (terminal && ::ioctl(output.number(), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  return 80;
}

/// `APPLET: OPERAND: call: ENOENT: No such file or directory`
void append_message(std::string& to, const Running& running, const core::Error& error) {
  to += running.name;
  to += ": ";
  if (error.path) {
    append_quoted(to, *error.path);
    if (error.target) {
      to += " -> ";
      append_quoted(to, *error.target);
    }
    to += ": ";
  }
  // lstat's own call is lstat, though it is another name for an applet whose call is stat.
  const std::string_view call = error.call;
  if (call != running.call && call != running.name && !call.empty()) {
    to += call;
    to += ": ";
  }
  const std::string_view name = core::error_name(error.number);
  if (name.empty()) {
    to += "errno ";
    append_number(to, error.number);
  } else {
    to += name;
    to += ": ";
    to += core::error_message(error.number);
  }
  if (!error.note.empty()) {
    to += " (";
    append_visible(to, error.note);
    if (error.note_path) append_quoted(to += ' ', *error.note_path);
    to += ')';
  }
  to += '\n';
}

void append_json_message(std::string& to, const Running& running, const core::Error& error) {
  const auto member = [&to](std::string_view key, const Value& value) {
    to += ',';
    append_json_member(to, key, value);
  };
  to += '{';
  append_json_member(to, "applet", Value::text(running.name));
  member("call", Value::text(error.call));
  // An error has the two in the order of the operands.
  const bool swapped = error.target && running.target_first;
  member("path", value_of<Kind::name>(swapped ? error.target : error.path));
  if (error.target) member("target", Value::name(swapped ? *error.path : *error.target));
  member("errno", Value::integer(error.number));
  member("error", Value::text(core::error_name(error.number)));
  member("message", Value::text(core::error_message(error.number)));
  if (!error.note.empty()) {
    const std::string note = error.note_path ? error.note + ' ' + *error.note_path : error.note;
    member("note", Value::name(note));
  }
  to += "}\n";
}

}  // namespace

Io Io::standard() {
  const auto output = core::FdRef::standard_output();
  const auto error = core::FdRef::standard_error();
  const bool terminal = ::isatty(output.number()) == 1;
  const Screen screen{.output_is_terminal = terminal,
                      .error_is_terminal = ::isatty(error.number()) == 1,
                      .columns = columns_of(output, terminal)};
  return Io(Sink(output), Sink(error), screen);
}

void Io::start(Running running, Style style) {
  running_ = running;
  style_ = std::move(style);
  end_ = style_.null ? '\0' : '\n';
  failed_ = false;
  lost_output_ = false;
  first_error_ = 0;
  ending_signal_ = 0;
  progress_.reset();
  if (style_.progress && screen_.error_is_terminal) progress_.emplace();
}

Io Io::branch() const {
  Io branch(Sink(), Sink(), screen_);
  branch.running_ = running_;
  branch.style_ = style_;
  branch.end_ = end_;
  branch.branch_ = true;
  return branch;
}

void Io::move_to(Draft& draft) {
  const auto move = [](std::string& from, std::string& to) {
    // The larger memory stays where more is to come.
    if (to.empty() && to.capacity() <= from.capacity()) {
      from.swap(to);
    } else {
      to += from;
      from.clear();
    }
  };
  for (const Draft::Told& told : told_) {
    draft.told.push_back({draft.output.size() + told.output, draft.error.size() + told.end});
  }
  told_.clear();
  move(output_.buffer(), draft.output);
  move(error_.buffer(), draft.error);
  draft.failed |= std::exchange(failed_, false);
  if (draft.first_error == 0) draft.first_error = first_error_;
  first_error_ = 0;
  draft.ticks += std::exchange(ticks_, 0);
}

void Io::pour(Draft& draft) {
  failed_ |= std::exchange(draft.failed, false);
  if (const int error = std::exchange(draft.first_error, 0); error != 0) note(error);
  if (!draft.error.empty()) clear_progress();
  std::size_t output = 0;
  std::size_t error = 0;
  for (const Draft::Told& told : draft.told) {
    add(std::string_view(draft.output).substr(output, told.output - output));
    output_.flush();
    output = told.output;
    error_.put(std::string_view(draft.error).substr(error, told.end - error));
    error_.flush();
    error = told.end;
  }
  error_.put(std::string_view(draft.error).substr(error));
  if (!draft.error.empty()) error_.flush();
  add(std::string_view(draft.output).substr(output));
  draft.told.clear();
  draft.output.clear();
  draft.error.clear();
  if (const std::uint64_t ticks = std::exchange(draft.ticks, 0); ticks != 0) tick(ticks);
}

/// Adds what a branch has said; what is for a terminal comes there by `flush`.
void Io::add(std::string_view records) {
  if (screen_.output_is_terminal) {
    print(records);
  } else {
    output_.put(records);
  }
}

std::expected<void, Usage> Io::prepare(const Table& table, const void* row_type, Plan& plan,
                                       bool& prints) {
  for (const Field& field : table.fields) {
    if (field.row_type != row_type) std::abort();  // a record of another table: a defect
  }
  switch (style_.format) {
    case Style::Format::json:
      plan = Plan::json(table.fields, end_);
      return {};
    case Style::Format::shell:
      plan = Plan::shell(table.fields, style_.text, end_);
      return {};
    case Style::Format::human:
      if (table.print != nullptr) {
        prints = true;
        return {};
      }
      [[fallthrough]];
    case Style::Format::format:
      break;
  }
  const bool own = style_.format == Style::Format::human;
  // People see where something could not be had; a template of their own stays as they wrote it.
  auto made = Plan::format(table.fields, own ? table.line : style_.text, names(), end_,
                           own ? "?" : std::string_view());
  if (!made) return misuse(std::move(made).error());
  plan = *std::move(made);
  return {};
}

void Io::print_name(std::string_view name) {
  if (names() == Names::quoted) {
    append_quoted(output_.buffer(), name);
  } else {
    output_.buffer() += name;
  }
  commit();
}

void Io::flush() {
  // On a terminal the two streams meet.
  if (screen_.output_is_terminal) clear_progress();
  output_.flush();
}

/// On a terminal the two streams meet: where the output stands in the middle of a line, the
/// progress would come over it and take it away. What is held back of whole lines comes before.
void Io::show_progress() {
  if (screen_.output_is_terminal) {
    if (!output_.ends_line()) return;
    flush();
  }
  progress_->show(error_);
}

void Io::clear_progress() {
  if (!progress_) return;
  progress_->clear(error_);
  error_.flush();
}

void Io::fail(const core::Error& error) {
  failed_ = true;
  note(error.number);
  clear_progress();
  // On a terminal the two streams meet; keep them in order.
  if (screen_.output_is_terminal) output_.flush();
  if (style_.format == Style::Format::json) {
    append_json_message(error_.buffer(), running_, error);
  } else {
    append_message(error_.buffer(), running_, error);
  }
  error_.flush();
  if (branch_ && screen_.output_is_terminal) {
    told_.push_back({output_.buffer().size(), error_.buffer().size()});
  }
}

void Io::complain(const Usage& usage) {
  std::string line(running_.name);
  line += ": ";
  append_visible(line, usage.message);
  line += "; see 'osbox ";
  line += running_.name;
  line += " --help'";
  remark(line);
}

void Io::remark(std::string_view line) {
  clear_progress();
  error_.buffer() += line;
  error_.buffer() += '\n';
  error_.flush();
}

int Io::finish(const Outcome& outcome) {
  int status = outcome.value_or(running_.failure);
  if (!outcome) {
    if (const auto* const usage = std::get_if<Usage>(&outcome.error())) {
      complain(*usage);
      status = 2;
    } else {
      fail(std::get<core::Error>(outcome.error()));
    }
  }
  clear_progress();
  error_.flush();
  output_.flush();
  if (!writable() && !lost_output_) {
    lost_output_ = true;
    fail({.number = output_.error(), .call = "write", .path = "stdout"});
  }
  const bool usage = !outcome && std::holds_alternative<Usage>(outcome.error());
  if (usage) return status;
  if (failed_) status = running_.failure;
  // 124 to 127 tell what became of a command; and an errno of more than a byte would come out as
  // another one.
  const auto of_command = [](int number) { return number >= 124 && number <= 127; };
  const bool fits = first_error_ > 0 && first_error_ < 256 && !of_command(first_error_);
  return style_.exit_errno && status != 0 && status < 124 && fits ? first_error_ : status;
}

}  // namespace out
