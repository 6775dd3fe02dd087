// Io: where all output of an applet goes, and what it says of failures.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/out/plan.hpp"
#include "core/out/progress.hpp"
#include "core/out/sink.hpp"
#include "core/sys/error.hpp"

namespace out {

/// Wrong usage: a sentence for the user. Ends the applet with status 2.
struct Usage {
  std::string message;
};

/// How an applet ends: with a status, or because of an Error or a Usage.
using Stop = std::variant<core::Error, Usage>;
using Outcome = std::expected<int, Stop>;

/// A return from an applet with wrong usage.
inline std::unexpected<Usage> misuse(std::string message) {
  return std::unexpected(Usage{std::move(message)});
}

/// What stands at the other end of the output.
struct Screen {
  bool output_is_terminal = false;
  bool error_is_terminal = false;
  unsigned columns = 80;
};

/// How the records of this run are to look; set by the options that every applet shares.
struct Style {
  enum class Format { human, json, format, shell } format = Format::human;
  std::string text = {};    ///< the template of --format, the prefix of --shell
  bool null = false;        ///< -0
  bool exit_errno = false;  ///< --exit-errno
  bool progress = false;    ///< --progress
  bool verbose = false;     ///< -v, in an applet that changes something

  /// True where something is asked for that means nothing without records, as --json does: it has
  /// failures as objects too.
  bool needs_records() const {
    return format == Format::format || format == Format::shell || null || verbose;
  }
};

/// What Io has to know of the running applet.
struct Running {
  std::string_view name;      ///< as it was called: an alias says its own name
  std::string_view call;      ///< the call that needs no naming in its messages; a literal
  int failure = 1;            ///< the status when something failed
  bool changes = false;       ///< records are for people who ask for them with -v
  bool target_first = false;  ///< the first of two operands is `target`, the second `path`
};

class Io;

/// The table of one kind of record: what the manual says of it and how it is written.
struct Table {
  std::span<const Field> fields;
  /// The line for people, as a template of the fields; or `print`.
  std::string_view line = {};
  /// Writes the record of `row` for people, and ends it.
  void (*print)(const void* row, Io& io) = nullptr;
  core::Want print_want = 0;   ///< what `print` needs
  std::string_view when = {};  ///< "with --paths", in an applet with several tables
};

/// Calls `Print`, a function of a row and Io, from a Table.
template <auto Print, class Row>
constexpr void prints(const void* row, Io& io) {
  Print(*static_cast<const Row*>(row), io);
}

/// Writes records of type `Row`.
template <class Row>
class Records {
 public:
  void put(const Row& row);
  /// What stat must be asked for, so that a record can be written.
  core::Want want() const { return print_ != nullptr ? print_want_ : plan_.want(); }
  /// True where the records go to a program: every field has its value, and none is decorated.
  bool formatted() const { return formatted_; }
  /// False where nobody asked for records, so that `put` does nothing.
  bool wanted() const { return wanted_; }

 private:
  friend class Io;
  Records(Io& io, const Table& table) : io_(&io), print_want_(table.print_want) {}
  Io* io_;
  Plan plan_;
  void (*print_)(const void*, Io&) = nullptr;
  core::Want print_want_;
  bool formatted_ = false;
  bool wanted_ = true;
};

/// What a branch of an Io has said, until its turn comes.
struct Draft {
  /// An error told when so much had been written: on a terminal the two streams meet.
  struct Told {
    std::size_t output;  ///< bytes of `output` before it
    std::size_t end;     ///< of `error`
  };
  std::string output;
  std::string error;
  std::vector<Told> told;
  bool failed = false;
  int first_error = 0;
  std::uint64_t ticks = 0;

  std::size_t size() const { return output.size() + error.size(); }
};

class Io {
 public:
  Io(Sink output, Sink error, Screen screen)
      : output_(std::move(output)), error_(std::move(error)), screen_(screen) {}

  /// The process's own standard output and standard error.
  static Io standard();

  /// Begins the run of an applet; what an earlier run left behind is forgotten.
  void start(Running running, Style style);

  /// Another Io for the same run, which keeps what it is given: for a thread, or for what comes
  /// later. Only one thread at a time uses an Io.
  Io branch() const;
  /// True where a branch has more to say than should wait for long.
  bool is_due() const {
    return branch_ && (output_.buffer().size() >= std::size_t{64} << 10 ||
                       !error_.buffer().empty() || ticks_ >= 1024);
  }
  /// Adds what a branch has to say to `draft`.
  void move_to(Draft& draft);
  /// Says what stands in `draft`, as if it had been said here, and empties it.
  void pour(Draft& draft);

  // -- for applets

  /// A writer of records; the error is a wrong --format. An applet that changes something writes
  /// none for people unless -v, or `told`, an option of its own, asks for them.
  template <class Row>
  std::expected<Records<Row>, Usage> records(const Table& table, bool told = false);

  /// Adds text to the output as it stands.
  void print(std::string_view text) {
    output_.buffer() += text;
    commit();
  }
  /// Adds a name: quoted on a terminal where it needs to be, raw elsewhere and with -0.
  void print_name(std::string_view name);
  /// Ends a record or a line: a newline, or with -0 a NUL.
  void end_record() { print(std::string_view(&end_, 1)); }

  /// Reports a failure on one operand and remembers it for the exit status.
  void fail(const core::Error& error);
  /// The same where this ends the run, with `status` instead of the applet's usual one: 127 for a
  /// command that is not there.
  Outcome fail_with(int status, const core::Error& error) {
    running_.failure = status;
    fail(error);
    return status;
  }
  /// From now on `status` is that of a failure, instead of the applet's usual one.
  void set_failure(int status) { running_.failure = status; }
  /// Remembers a failure for the exit status without a word, as a plain "no" that is an answer.
  void note(int number) {
    if (first_error_ == 0) first_error_ = number;
  }
  /// Has this process end by `signal` once all is written: for one whose command ended by the
  /// signal that came to both, so that a shell sees what it would have seen of the command.
  void end_by(int signal) { ending_signal_ = signal; }
  int ending_signal() const { return ending_signal_; }
  /// Calls `action`, which returns a Result<void>, with each of `operands`, and reports failures.
  template <class Operands, class Action>
  Outcome each(const Operands& operands, Action action) {
    for (const auto& operand : operands) {
      if (const core::Result<void> done = action(operand); !done) fail(done.error());
    }
    return 0;
  }
  /// True where something failed.
  bool failed() const { return failed_; }

  /// One operand or entry is done: counts it for --progress.
  void tick(std::uint64_t more = 1) {
    if (progress_ && progress_->tick(more)) show_progress();
    if (branch_ && style_.progress) ticks_ += more;
  }

  /// Hands all output to the kernel, before something blocks or another program writes.
  void flush();
  /// False once output cannot be written any more; who only prints may stop then.
  bool writable() const { return output_.error() == 0; }

  const Screen& screen() const { return screen_; }
  const Style& style() const { return style_; }
  const Running& running() const { return running_; }
  /// How names are written: quoted on a terminal, unless -0 asks for raw ones.
  Names names() const {
    return screen_.output_is_terminal && !style_.null ? Names::quoted : Names::raw;
  }

  // -- for whoever started the applet

  /// Says what is wrong with the command line.
  void complain(const Usage& usage);
  /// A line on standard error as it stands.
  void remark(std::string_view line);
  /// Ends the run: flushes, reports a write error, and says the exit status.
  int finish(const Outcome& outcome);

  Sink& output() { return output_; }
  Sink& error_output() { return error_; }

 private:
  template <class Row>
  friend class Records;
  std::expected<void, Usage> prepare(const Table& table, const void* row_type, Plan& plan,
                                     bool& prints);
  void commit() {
    if (output_.full()) flush();
  }
  void add(std::string_view records);
  void show_progress();
  void clear_progress();

  Sink output_;
  Sink error_;
  Screen screen_;
  Running running_ = {};
  Style style_ = {};
  char end_ = '\n';
  bool failed_ = false;
  bool lost_output_ = false;
  int first_error_ = 0;
  int ending_signal_ = 0;
  std::optional<Progress> progress_;

  // of a branch
  bool branch_ = false;
  std::uint64_t ticks_ = 0;
  std::vector<Draft::Told> told_;
};

template <class Row>
void Records<Row>::put(const Row& row) {
  if (!wanted_) return;
  if (print_ != nullptr) {
    print_(&row, *io_);
  } else {
    plan_.write(&row, io_->output_.buffer());
    io_->commit();
  }
}

template <class Row>
std::expected<Records<Row>, Usage> Io::records(const Table& table, bool told) {
  Records<Row> records(*this, table);
  bool prints = false;
  if (auto ready = prepare(table, &detail::row_type<Row>, records.plan_, prints); !ready) {
    return std::unexpected(std::move(ready).error());
  }
  if (prints) records.print_ = table.print;
  records.formatted_ = style_.format != Style::Format::human;
  records.wanted_ = records.formatted_ || !running_.changes || style_.verbose || told;
  return records;
}

}  // namespace out
