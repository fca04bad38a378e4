#!/bin/sh
# g++ 12.2 miscompiles co_await inside ?:, inside braces, next to a capturing lambda, and in a
# condition of a function without locals: one await to a statement, its result in a named local.
#     one_await.sh SRC      prints every line that breaks the rule, and exits 1 if there is one
found=$(grep -rnE 'co_await' "$1" --include='*.cpp' --include='*.hpp' |
  grep -vE '^[^:]+:[0-9]+:[[:space:]]*(//|co_await |co_return co_await |(const )?auto(&&?)? (\[[^]]*\]|[a-z_0-9]+) = co_await |(const )?[a-z_:<>, 0-9]+ [a-z_0-9]+ = co_await |[a-z_0-9.]+ \+?= co_await )')
[ -z "$found" ] && exit 0
echo "$found"
exit 1
