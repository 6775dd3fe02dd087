#include "core/out/tree.hpp"

#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <cassert>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

namespace out {
namespace {

/// More threads would only wait for each other.
constexpr unsigned most_threads = 64;
/// What a part may hold back until its turn comes.
constexpr std::size_t most_of_part = 1 << 19;
/// While parts that are done hold back so much, no new ones are begun.
constexpr std::size_t most_held = 4 << 20;
/// The memory of so many parts is kept for later ones.
constexpr std::size_t most_spare = 8;
/// So many parts of the same thread wait for their turn at most.
constexpr unsigned most_nested = 4;
/// Of a part that goes on in order: so many levels above the directory that was entered stay with
/// the thread that is there. More, and the others would run too far ahead.
constexpr std::size_t levels_kept = 3;

/// What is deeper than that stays with one thread.
constexpr std::size_t deepest_shared = 256;
/// So many descriptors are open in most processes, or fewer.
constexpr std::size_t few_descriptors = 16;

/// How many descriptors may be opened, where no more than a few are open now.
std::size_t free_descriptors() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  // Of no limit, what fits has to do.
  constexpr rlim_t most = std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(std::clamp<rlim_t>(limit.rlim_cur, few_descriptors, most) -
                                  few_descriptors);
}

/// How many of the descriptors that there may be are in use: those up to `most` are looked at.
std::size_t open_descriptors(std::size_t most) {
  std::vector<pollfd> all(most);
  for (std::size_t i = 0; i < most; ++i) all[i].fd = static_cast<int>(i);
  if (::poll(all.data(), most, 0) < 0) return most;
  return static_cast<std::size_t>(
      std::ranges::count_if(all, [](const pollfd& one) { return (one.revents & POLLNVAL) == 0; }));
}

}  // namespace

/// What one thread goes through in one piece, and what it has to say of it.
struct Tree::Part {
  Draft draft;
  bool done = false;
  std::list<Part>::iterator here;
};

/// One walk of a thread. Where it has to wait for its turn the thread goes on with the next hand.
struct Tree::Hand {
  explicit Hand(Tree& tree, unsigned behind = 0)
      : nested(behind),
        walk(tree.how_.walk),
        own(tree.how_.threads > 1 ? std::optional(tree.io_.branch()) : std::nullopt),
        io(own ? *own : tree.io_),
        visitor(tree.make_(io)) {
    visitor->is_heard_ = [this, &tree] { return tree.is_heard(*this); };
  }

  const unsigned nested;
  core::Walk walk;
  std::optional<Io> own;
  Io& io;
  std::unique_ptr<Visitor> visitor;
  Part* part = nullptr;
  /// Directories down from the root that another thread entered, and this one leaves.
  std::size_t taken_over = 0;
  std::unique_ptr<Hand> next;
};

bool Tree::is_first(const Hand& hand) const { return first_ == hand.part; }

struct Tree::Waiter {
  Hand& hand;
  bool helps;  ///< takes nothing but what comes before a part of its own
  std::atomic<bool> served = false;
};

Tree::Tree(Io& io, How how, Make make) : io_(io), how_(how), make_(std::move(make)) {
  if (how_.threads == 0) how_.threads = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t free = free_descriptors();
  constexpr std::size_t for_a_thread = 32;
  how_.threads = static_cast<unsigned>(
      std::clamp<std::size_t>(free / for_a_thread, 1, std::min(how_.threads, most_threads)));
  if (how_.threads > 1) {
    // All hands of all threads together; each has one or two more open for a moment.
    const std::size_t hands = std::size_t{how_.threads} * most_nested;
    how_.walk.most_open = std::min(how_.walk.most_open, free / hands - 2);
  }
  own_ = std::make_unique<Hand>(*this);
}

Tree::~Tree() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  news_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

core::Result<void> Tree::visit(core::Path root, core::At at) {
  Hand& hand = *own_;
  TRY(hand.walk.start(root, at));
  hand.taken_over = 0;
  if (how_.threads > 1) {
    const std::scoped_lock lock(mutex_);
    hand.part = &parts_.emplace_back();
    hand.part->here = parts_.begin();
    first_ = hand.part;
    left_ = 1;
  }
  work(hand);
  while (left_ > 0) {
    if (wait_for_part(hand, nullptr)) work(hand);
  }
  if (lost_) std::rethrow_exception(std::exchange(lost_, nullptr));
  return {};
}

void Tree::start_threads() {
  started_ = true;
  try {
    // A thread that lacks descriptors could not take them from another one.
    const std::size_t free = free_descriptors() + few_descriptors;
    const std::size_t used = open_descriptors(std::min<std::size_t>(free, 1024));
    const std::size_t for_a_thread = most_nested * (how_.walk.most_open + 2);
    const std::size_t most = (free - used) / for_a_thread;
    if (most < 2) return;
    how_.threads = static_cast<unsigned>(std::min<std::size_t>(how_.threads, most));
    waiting_.reserve(std::size_t{how_.threads} * most_nested);
    spare_.reserve(most_spare);
    threads_.reserve(how_.threads - 1);
    while (threads_.size() + 1 < how_.threads) threads_.emplace_back([this] { run(); });
  } catch (const std::exception&) {
    // No more threads or memory to be had: those that there are do it all.
  }
}

/// What a thread does.
void Tree::run() {
  try {
    Hand hand(*this);
    while (wait_for_part(hand, nullptr)) work(hand);
  } catch (...) {
    // Nothing was taken over yet.
  }
}

/// Does `work`. What is thrown there ends the visit of all threads, and is thrown by it.
template <class Work>
void Tree::protect(Work work) {
  try {
    work();
  } catch (...) {
    {
      const std::scoped_lock lock(mutex_);
      if (!lost_) lost_ = std::current_exception();
      stopped_ = true;
    }
    news_.notify_all();
  }
}

/// Goes through a part to its end.
void Tree::work(Hand& hand) {
  using enum core::Walk::Step;
  protect([&] {
    while (!stopped_.load(std::memory_order_relaxed)) {
      const core::Walk::Step step = hand.walk.next();
      if (step == end) break;
      if (step == failure) {
        hand.io.fail(hand.walk.error());
      } else {
        assert(step != leave || how_.order != Order::any || !hand.walk.marked());
        if (step == leave && hand.walk.depth() < hand.taken_over) {
          if (hand.walk.marked()) wait_for_turn(hand);
          hand.taken_over = hand.walk.depth();
        }
        hand.visitor->visit(hand.walk, step);
      }
      if (hand.own && step == enter) share(hand);
      if (!is_heard(hand)) break;
    }
  });
  if (hand.own) finish(hand);
}

/// Gives away what follows the directory that was entered, or one of those above, where somebody
/// waits for it.
void Tree::share(Hand& hand) {
  if (!started_) {
    if (++entered_ > how_.small_tree) start_threads();
    return;
  }
  const bool helps = helpers_.load(std::memory_order_relaxed) > 0 && is_first(hand);
  if (hungry_.load(std::memory_order_relaxed) == 0 && !helps) return;
  const std::size_t depth = hand.walk.depth();
  // All directories above change hands.
  if (depth > deepest_shared) return;
  const std::size_t kept = how_.order == Order::as_one ? levels_kept : depth;
  const auto level = hand.walk.level_with_more(depth - std::min(depth, kept));
  if (!level) return;
  // What holds the part is said before it.
  if (how_.order == Order::any) publish(hand);

  const std::scoped_lock lock(mutex_);
  const bool first = is_first(hand);
  const auto chosen = std::ranges::find_if(
      waiting_, [first](const Waiter* waiter) { return first || !waiter->helps; });
  if (chosen == waiting_.end()) return;
  Waiter& waiter = **chosen;
  hand.walk.give(*level, waiter.hand.walk);
  const auto here = parts_.emplace(std::next(hand.part->here));
  here->here = here;
  if (!spare_.empty()) {
    here->draft = std::move(spare_.back());
    spare_.pop_back();
  }
  // From here on nothing fails.
  ++left_;
  waiting_.erase(chosen);
  --(waiter.helps ? helpers_ : hungry_);
  waiter.hand.part = &*here;
  waiter.hand.taken_over = *level + 1;
  waiter.served = true;
  if (asleep_ > 0) news_.notify_all();
}

/// Waits until another thread gives a part to `hand`. False where there is none to come: the tree
/// is done, or it is `turn`'s turn.
bool Tree::wait_for_part(Hand& hand, const Part* turn) {
  Waiter waiter{.hand = hand, .helps = turn != nullptr};
  const bool visits = &hand == own_.get();
  const auto is_over = [&] {
    return turn != nullptr ? first_ == turn || stopped_ : visits && left_ == 0;
  };
  auto& count = waiter.helps ? helpers_ : hungry_;
  bool registered = false;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (waiter.served) return true;
    if (is_over() || (closed_ && !visits)) {
      if (registered) {
        std::erase(waiting_, &waiter);
        --count;
      }
      return false;
    }
    if (!registered && (waiter.helps || held_ < most_held)) {
      waiting_.push_back(&waiter);
      ++count;
      registered = true;
      // Most often it is a matter of a few microseconds.
      lock.unlock();
      for (int i = 0; i < 16000 && !waiter.served && !is_over(); ++i) {
      }
      lock.lock();
      continue;
    }
    ++asleep_;
    news_.wait(lock);
    --asleep_;
  }
}

/// Waits until all that comes before is done, and helps meanwhile.
void Tree::wait_for_turn(Hand& hand) {
  while (!is_first(hand) && !stopped_) {
    if (hand.nested + 1 < most_nested) {
      if (!hand.next) hand.next = std::make_unique<Hand>(*this, hand.nested + 1);
      if (wait_for_part(*hand.next, hand.part)) work(*hand.next);
      continue;
    }
    std::unique_lock lock(mutex_);
    ++asleep_;
    news_.wait(lock, [&] { return is_first(hand) || stopped_; });
    --asleep_;
  }
}

/// Has what a hand says said, or held back, where it is much. False where nothing more need be
/// said.
bool Tree::is_heard(Hand& hand) {
  if (!hand.own) return io_.writable() || io_.running().changes;
  if (hand.io.is_due()) publish(hand);
  return !stopped_.load(std::memory_order_relaxed);
}

/// Has what a hand says said, or held back.
void Tree::publish(Hand& hand) {
  Draft& draft = hand.part->draft;
  hand.io.move_to(draft);
  if (how_.order == Order::any) {
    const std::scoped_lock lock(output_);
    return pour(draft);
  }
  if (!is_first(hand) && draft.size() > most_of_part) wait_for_turn(hand);
  if (is_first(hand)) pour(draft);
}

/// Says it. One thread at a time comes here.
void Tree::pour(Draft& draft) {
  io_.pour(draft);
  if (io_.writable() || io_.running().changes) return;
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  news_.notify_all();
}

/// Ends a part, and says what was waiting for that.
void Tree::finish(Hand& hand) {
  Part& part = *std::exchange(hand.part, nullptr);
  protect([&] { hand.io.move_to(part.draft); });
  if (how_.order == Order::any) {
    protect([&] {
      const std::scoped_lock lock(output_);
      pour(part.draft);
    });
    const std::scoped_lock lock(mutex_);
    parts_.erase(part.here);
    --left_;
    if (asleep_ > 0) news_.notify_all();
    return;
  }
  std::unique_lock lock(mutex_);
  part.done = true;
  held_ += part.draft.size();
  if (first_ != &part) return;
  while (!parts_.empty() && parts_.front().done) {
    Draft& draft = parts_.front().draft;
    held_ -= draft.size();
    lock.unlock();
    protect([&] { pour(draft); });
    lock.lock();
    if (spare_.size() < spare_.capacity()) spare_.push_back(std::move(draft));
    parts_.pop_front();
    // At once: another part may come to stand where this one stood in memory.
    first_ = parts_.empty() ? nullptr : &parts_.front();
    --left_;
  }
  if (asleep_ > 0) news_.notify_all();
}

}  // namespace out
