// Tree: goes through trees, with several threads where that pays, and keeps their output in order.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/out/io.hpp"
#include "core/sys/walk.hpp"

namespace out {

/// What an applet does at the steps of a walk. Every thread has one of its own, which comes to see
/// parts of the tree.
class Visitor {
 public:
  virtual ~Visitor() = default;
  /// At any step but `failure`, which is told, and `end`.
  virtual void visit(core::Walk& walk, core::Walk::Step step) = 0;

 protected:
  /// In the middle of a visit that has much to say: what was said can be heard from now on. False
  /// where nobody hears it any more, and what is left to say may be left out.
  bool is_heard() { return is_heard_(); }

 private:
  friend class Tree;
  std::function<bool()> is_heard_;
};

/// A walk through one tree after the other. Once a tree has turned out not to be small, threads
/// that have nothing to do take over parts of it: what follows the directory in which another
/// thread is. So nothing is shared while there is enough to do for each.
///
/// A directory is left after the names in it were given. One that a visitor marks (Walk::mark) is
/// left when all that is in it was visited too, by whichever thread; with `any` nothing may be
/// marked.
class Tree {
 public:
  enum class Order : std::uint8_t {
    as_one,    ///< all that is said comes in the order of one thread
    no_words,  ///< the same, of little that is said
    any,       ///< whole records, in any order
  };
  struct How {
    core::Walk::How walk;
    Order order = Order::as_one;
    /// At most so many; 0: one for each CPU that may be used.
    unsigned threads = 0;
    /// They are started once so many directories were entered.
    std::size_t small_tree = 48;
  };
  /// Makes a visitor that says what it has to say to this Io.
  using Make = std::function<std::unique_ptr<Visitor>(Io& io)>;

  Tree(Io& io, How how, Make make);
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  /// Visits all of the tree at `root`, or what can be said before the output fails. The error is
  /// that of a root that is not there.
  core::Result<void> visit(core::Path root, core::At at = {});

 private:
  struct Part;
  struct Hand;
  struct Waiter;

  void start_threads();
  void run();
  void work(Hand& hand);
  void share(Hand& hand);
  bool is_heard(Hand& hand);
  void publish(Hand& hand);
  void wait_for_turn(Hand& hand);
  bool wait_for_part(Hand& hand, const Part* turn);
  void finish(Hand& hand);
  void pour(Draft& draft);
  bool is_first(const Hand& hand) const;
  template <class Work>
  void protect(Work work);

  Io& io_;
  How how_;
  const Make make_;
  std::unique_ptr<Hand> own_;  ///< of the thread that visits
  std::size_t entered_ = 0;
  bool started_ = false;
  std::vector<std::thread> threads_;

  std::mutex mutex_;
  std::condition_variable news_;
  std::list<Part> parts_;  ///< in the order of the walk; those that are not done and said
  std::atomic<Part*> first_ = nullptr;  ///< whose turn it is to be said
  std::atomic<std::size_t> left_ = 0;   ///< the number of parts
  std::vector<Waiter*> waiting_;
  std::atomic<unsigned> hungry_ = 0;   ///< of those who wait, who take any part
  std::atomic<unsigned> helpers_ = 0;  ///< and who take what comes before a part of their own
  unsigned asleep_ = 0;
  std::size_t held_ = 0;               ///< bytes of parts that are done
  std::vector<Draft> spare_;           ///< empty, with their memory
  std::atomic<bool> stopped_ = false;  ///< nothing more is to be said
  bool closed_ = false;
  std::exception_ptr lost_;
  std::mutex output_;  ///< with `any`: of `io_`
};

}  // namespace out
