# Reads `objdump -tr` of the core, and fails where core/start.ld does harm: it leaves out what
# parse.cpp.o would do before main. It does none as long as there is one initializer, which builds
# nothing but what CLI11's headers and those of the standard library define (the streams, and
# validators, each an object with a name and a function), calls nothing else for that, and as long
# as nothing else in the file refers to it: it stays zeros, and nobody looks. What a function builds
# when it is first called is built all the same.
/file format/ { ours = /cli_parse\.cpp\.o:/ }
!ours { next }

/\.bss/ && $NF ~ /^_Z/ && $NF !~ /^_Z(Z|GVZ)/ { waits[$NF] = 1 }

/^RELOCATION RECORDS FOR/ {
  section = $4
  builds = section ~ /startup|_GLOBAL__sub_I|static_initialization_and_destruction/
}
$2 ~ /^R_/ && section !~ /debug/ {
  if (section ~ /^\[\.init_array/) ++initializers
  name = $3
  sub(/[+-]0x[0-9a-f]+$/, "", name)
  sub(/^\.(bss|text|text\.unlikely)\./, "", name)
  if (!builds && name in waits) complain(name " is never built, and used in " section)
  if (!builds) next
  # Mangled names of CLI, of std and __gnu_cxx, and of new and delete; what the compiler adds.
  if (name ~ /^_Z(TV|GV)?N?K?(3CLI|S|9__gnu_cxx|d[al]|n[aw])/) ++harmless
  else if (name !~ /^(__|_Unwind_|_GLOBAL__sub_I|mem|strlen|\.|DW\.ref\.)/ &&
           name !~ /static_initialization_and_destruction/)
    complain(name " is left out too")
}

function complain(what) {
  print what
  wrong = 1
}
END {
  if (initializers != 1) complain("not one initializer but " initializers + 0)
  if (!harmless) complain("nothing is built before main: core/start.ld need leave nothing out")
  exit wrong
}
