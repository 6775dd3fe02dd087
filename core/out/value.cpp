#include "core/out/value.hpp"

namespace out {

std::string_view kind_word(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "boolean";
    case Kind::integer:
    case Kind::natural:
      return "integer";
    case Kind::time:
      return "nanoseconds";
    case Kind::text:
      return "word";
    case Kind::name:
      return "bytes";
    case Kind::names:
      return "list of bytes";
    case Kind::texts:
      return "list of words";
    case Kind::integers:
      return "list of integers";
    case Kind::null:
      break;
  }
  return "null";
}

}  // namespace out
