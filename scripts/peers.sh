#!/usr/bin/env bash
# Installs the real peers of the end-to-end tests and the benchmarks from Debian's (or Ubuntu's) packages.
# Does only what is missing, starts no service, and ends with a table of what is there.
set -euo pipefail

# package and the program that proves it
PEERS=(
  "chromium chromium"
  "firefox-esr firefox-esr"
  "sip-tester sipp"
  "baresip-core baresip"
  "rtpengine-daemon rtpengine"
  "coturn turnserver"
  "kamailio kamailio"
  "sox sox"
  "espeak-ng espeak-ng"
  "postgresql pg_ctl"
  "nginx-light nginx"
)
POLICY=/usr/sbin/policy-rc.d

say() { printf '%s\n' "$*"; }
complain() { printf 'peers: %s\n' "$*" >&2; }

# Programs such as rtpengine may lie in sbin, which is not on every user's PATH.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
# The programs of a PostgreSQL cluster lie in a folder per version.
for folder in /usr/lib/postgresql/*/bin; do
  if [ -d "$folder" ]; then PATH="$PATH:$folder"; fi
done

program_of() { printf '%s' "${1#* }"; }
package_of() { printf '%s' "${1%% *}"; }
is_there() { command -v "$(program_of "$1")" >/dev/null 2>&1; }

missing_packages() {
  local peer
  for peer in "${PEERS[@]}"; do
    if ! is_there "$peer"; then printf '%s\n' "$(package_of "$peer")"; fi
  done
}

# Root, or a sudo that asks no question.
RUN=()
find_privilege() {
  if [ "$(id -u)" -eq 0 ]; then
    return 0
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    RUN=(sudo -n)
  else
    return 1
  fi
}

as_root() { "${RUN[@]}" "$@"; }

# A policy-rc.d that answers 101 keeps packages from starting their services while they are installed.
POLICY_STATE=untouched
forbid_services() {
  if [ -e "$POLICY" ]; then
    as_root mv "$POLICY" "$POLICY.before-peers"
    POLICY_STATE=saved
  else
    POLICY_STATE=created
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
  as_root chmod 755 "$POLICY"
}

restore_services() {
  case "$POLICY_STATE" in
    saved) as_root mv -f "$POLICY.before-peers" "$POLICY" ;;
    created) as_root rm -f "$POLICY" ;;
  esac
  POLICY_STATE=untouched
}
trap restore_services EXIT

install_packages() {
  say "Updating the package lists …"
  as_root apt-get update -qq || complain "apt-get update failed; trying with the lists that are here"
  forbid_services
  local package
  for package in "$@"; do
    say "Installing $package …"
    if ! as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "$package" >/dev/null; then
      complain "apt-get could not install $package"
    fi
  done
  restore_services
}

version_of() {
  dpkg-query -W -f '${Version}' "$1" 2>/dev/null || printf 'not a package'
}

table() {
  local peer program package
  printf '\n%-18s %-28s %s\n' peer version path
  for peer in "${PEERS[@]}"; do
    program=$(program_of "$peer")
    package=$(package_of "$peer")
    if is_there "$peer"; then
      printf '%-18s %-28s %s\n' "$program" "$(version_of "$package")" "$(command -v "$program")"
    else
      printf '%-18s %-28s %s\n' "$program" MISSING "(package $package)"
    fi
  done
}

main() {
  local missing
  mapfile -t missing < <(missing_packages)
  if [ "${#missing[@]}" -eq 0 ]; then
    say "All peers are here already."
    table
    return 0
  fi
  say "Missing: ${missing[*]}"
  if ! command -v apt-get >/dev/null 2>&1; then
    complain "this system has no apt-get. Install these by its own package manager: ${missing[*]}"
    complain "until then the suites that need them are skipped, each with the reason."
    table
    return 1
  fi
  if ! find_privilege; then
    complain "installing needs root: run it as root, or with a sudo that asks no password."
    complain "by hand: apt-get install --no-install-recommends ${missing[*]}"
    table
    return 1
  fi
  install_packages "${missing[@]}"
  table
  mapfile -t missing < <(missing_packages)
  if [ "${#missing[@]}" -gt 0 ]; then
    complain "still missing: ${missing[*]}"
    return 1
  fi
}

main
