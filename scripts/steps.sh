# Sourced by .ci/run and scripts/nightly: runs steps, continues after an error, and prints at the end how each one went.
# shellcheck shell=bash

summary=()
failed=0

step() { # name, command…
	local name=$1 begun=$SECONDS result=ok line
	shift
	printf '\n### %s\n' "$name"
	"$@" || { result=FAILED failed=1; }
	line=$(printf '%-10s %6d s  %s' "$name" $((SECONDS - begun)) "$result")
	summary+=("$line")
	echo "### $line"
}

print_summary() {
	printf '\n### summary\n'
	printf '%s\n' "${summary[@]}"
	printf '%-10s %6d s  %s\n' total "$SECONDS" "$([[ $failed -eq 0 ]] && echo ok || echo FAILED)"
}

versions() { # of what the steps use
	local tool
	for tool in 'go version' 'make --version' 'git --version' 'cc --version' 'node --version' 'npm --version' 'redis-server --version'; do
		printf '%-5s %s\n' "${tool%% *}" "$($tool 2>/dev/null | head -n 1)"
	done
}
