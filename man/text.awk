# The text of a manual page, 80 columns wide, in a C++ source: what `osbox help tour` shows. It knows
# the macros and the escapes that the page uses, and stops at any other.

function fail(what) {
  print FILENAME ":" NR ": " what >"/dev/stderr"
  failed = 1
  exit 1
}

# The text without escapes.
function plain(text,    parts, count, i) {
  gsub(/\\-/, "-", text)
  gsub(/\\\(aq/, "'", text)
  if (text ~ /\\[^e]|\\$/) fail("unknown escape")
  count = split(text, parts, /\\e/)
  text = parts[1]
  for (i = 2; i <= count; ++i) text = text "\\" parts[i]
  return text
}

function put(line) {
  print line
  spaced = line == ""
}

# Ends the line that is being filled.
function end_line() {
  if (filled != "") put(filled)
  filled = ""
}

# An empty line, but none behind another one or a heading.
function space() {
  end_line()
  if (!spaced) put("")
}

function add(word) {
  if (filled != "" && length(filled) + 1 + length(word) > 80) end_line()
  filled = filled (filled != "" ? " " : "") word
}

# Fills lines with the words from number `from` on, `quote` around them. A mark that is a word of
# its own stands close to the one before it.
function add_words(words, count, from, quote,    i, marks) {
  for (; count > from && words[count] ~ /^[.,;:]$/; --count) marks = words[count] marks
  for (i = from; i <= count; ++i) {
    add((i == from ? quote : "") plain(words[i]) (i == count ? quote marks : ""))
  }
}

BEGIN {
  print "#include \"core/cli/pages.hpp\"\n\nnamespace cli {\nnamespace {\n"
  # An array, since what a start reads has literals of all files on its pages.
  printf "constexpr char text[] = R\"page("
}

/^\.Ed$/ { literal = 0; next }
/^\.\\"/ { next }
literal { put((length($0) ? "  " : "") plain($0)); next }

/^[^.]/ { add_words(word, split($0, word, " "), 1); next }
/^\.(Dd|Dt|Os)/ { next }
/^\.Nm [^ ]+$/ { add(plain($2) ":"); next }
/^\.Nd / { add_words(word, split($0, word, " "), 2); next }
/^\.Sh (NAME|DESCRIPTION)$/ { if ($2 != "NAME") space(); next }
/^\.Sh / { space(); put(substr($0, 5)); spaced = 1; next }
/^\.Pp$/ { space(); next }
/^\.Bd -literal -offset 2n$/ { space(); literal = 1; next }
/^\.Xr [^ ]+ [0-9]/ {
  $2 = $2 "(" $3 ")"
  $3 = ""
  add_words(word, split($0, word, " "), 2)
  next
}
/^\.Dq / { add_words(word, split($0, word, " "), 2, "\""); next }
/^\.Sq / { add_words(word, split($0, word, " "), 2, "'"); next }
/^\.(Ev|Ic|Pa) / { gsub(/"/, ""); add_words(word, split($0, word, " "), 2); next }
{ fail("unknown macro") }

END {
  if (failed) exit 1
  end_line()
  print ")page\";\n\n}  // namespace\n"
  print "constinit const std::string_view tour = {text, sizeof text - 1};\n\n}  // namespace cli"
}
