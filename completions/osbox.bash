# Completion for osbox and its links in bash: osbox itself knows what may follow.
_osbox() {
  local ask=osbox word= line i words=() at=() cur=${COMP_WORDS[COMP_CWORD]}
  [[ ${1##*/} != osbox ]] || ask=${1/#\~\//$HOME/}
  for ((i = 0; i <= COMP_CWORD; i++)); do # bash has cut --name=value into three words
    if [[ $i -gt 1 && (${COMP_WORDS[i]} == = || ${COMP_WORDS[i - 1]} == =) ]]; then
      words[${#words[@]} - 1]+=${COMP_WORDS[i]}
    else
      words+=("${COMP_WORDS[i]}") at+=("$i")
    fi
  done
  [[ $cur != = ]] || cur=
  word=${words[${#words[@]} - 1]}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default 2>/dev/null || mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
      :directories) compopt -o dirnames 2>/dev/null || mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
      :commands) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
      :command\ *) # what bash-completion has for it, where that is there
        _command_offset "${at[${line#* }]}" 2>/dev/null || compopt -o default ;;
      *) line=${line%%$'\t'*} COMPREPLY+=("${line#"${word%"$cur"}"}") ;;
    esac
  done < <("$ask" --complete "${words[@]}" 2>/dev/null)
}
complete -F _osbox osbox $(osbox --list 2>/dev/null | sed 's/.*/os-& osbox-&/')
