# Completion for osbox and its links in fish: osbox itself knows what may follow.
function __osbox_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l before (string match -r -- '^--[^=]*=' $word)
    set -l path (string replace -r -- '^--[^=]*=' '' "$word")
    for line in (command osbox --complete $words "$word" 2>/dev/null)
        switch $line
            case :files
                string replace -r -- '^' "$before" (__fish_complete_path "$path")
            case :directories
                string replace -r -- '^' "$before" (__fish_complete_directories "$path" '')
            case :commands
                __fish_complete_command
            case ':command *'
                set -l own (string escape -- $words[(math (string replace ':command ' '' $line) + 1)..])
                complete -C "$(string join ' ' -- $own "$word")"
            case '*'
                echo $line
        end
    end
end
for name in osbox os-(command osbox --list 2>/dev/null) osbox-(command osbox --list 2>/dev/null)
    complete -c $name -f -k -a '(__osbox_complete)'
end
