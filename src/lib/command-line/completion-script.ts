/** Scripts that let a shell ask a program what may come next (complete.ts). NAME stands for the program's name. */
import type { shells } from "./complete.ts";

const bash = `# bash completion for NAME
__NAME_complete() {
  local line directive=0 candidates=()
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :[0-9]*) directive="\${line#:}" ;;
      *) candidates+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  local word="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=($(compgen -W "\${candidates[*]}" -- "$word"))
  if [ "\${#COMPREPLY[@]}" -eq 0 ] && [ "$directive" != 4 ]; then
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o default -F __NAME_complete NAME
`;

const zsh = `#compdef NAME
compdef _NAME NAME

_NAME() {
  local line directive=0
  local -a candidates
  while IFS= read -r line; do
    case "$line" in
      :[0-9]*) directive="\${line#:}" ;;
      *) candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}") ;;
    esac
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then
    _describe 'NAME' candidates
  elif [[ "$directive" != 4 ]]; then
    _files
  fi
}

if [ "\${funcstack[1]}" = "_NAME" ]; then
  _NAME
fi
`;

const fish = `# fish completion for NAME
function __NAME_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete $words[2..-1] 2>/dev/null | string match -v -r '^:[0-9]+$'
end
complete -c NAME -f -a '(__NAME_complete)'
`;

const powershell = `# PowerShell completion for NAME
Register-ArgumentCompleter -Native -CommandName 'NAME' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | ForEach-Object { "$_" })
    $rest = @($words | Select-Object -Skip 1)
    if ($wordToComplete -eq '') { $rest += '""' }
    & $words[0] __complete @rest 2>$null | Where-Object { $_ -notmatch '^:[0-9]+$' } | ForEach-Object {
        $name, $description = $_ -split "\`t", 2
        if (-not $description) { $description = $name }
        [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $description)
    }
}
`;

const scripts = { bash, zsh, fish, powershell } as const;

export function completionScript(shell: (typeof shells)[number], name: string): string {
  return scripts[shell].replaceAll("NAME", name);
}

/** What is wrong with the arguments of `completion`, in cobra's words. */
export function checkShell(args: readonly string[], command: string): string | undefined {
  if (args.length !== 1) return `accepts 1 arg(s), received ${args.length}`;
  return Object.hasOwn(scripts, args[0]!) ? undefined : `invalid argument "${args[0]}" for "${command}"`;
}
