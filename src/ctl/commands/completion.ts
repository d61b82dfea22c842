/** `completion`: a script for a shell, which asks this program what may come next. */
import type { CtlCall } from "../call.ts";

const bash = `# bash completion for etcdctl
__etcdctl_complete() {
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
complete -o default -F __etcdctl_complete etcdctl
`;

const zsh = `#compdef etcdctl
compdef _etcdctl etcdctl

_etcdctl() {
  local line directive=0
  local -a candidates
  while IFS= read -r line; do
    case "$line" in
      :[0-9]*) directive="\${line#:}" ;;
      *) candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}") ;;
    esac
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then
    _describe 'etcdctl' candidates
  elif [[ "$directive" != 4 ]]; then
    _files
  fi
}

if [ "\${funcstack[1]}" = "_etcdctl" ]; then
  _etcdctl
fi
`;

const fish = `# fish completion for etcdctl
function __etcdctl_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete $words[2..-1] 2>/dev/null | string match -v -r '^:[0-9]+$'
end
complete -c etcdctl -f -a '(__etcdctl_complete)'
`;

const powershell = `# PowerShell completion for etcdctl
Register-ArgumentCompleter -Native -CommandName 'etcdctl' -ScriptBlock {
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

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish, powershell };

export async function completion({ args, io }: CtlCall): Promise<undefined> {
  io.out(scripts[args[0]!]!);
}
