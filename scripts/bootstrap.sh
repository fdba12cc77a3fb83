#!/usr/bin/env bash
# bootstrap.sh: make a fresh clone able to run.
#
# OWNS     node_modules/ (from package-lock.json) and .cache/bin/nats-server
# SAYS     nothing when there is nothing to do; else one line per step, on stderr
# ON ERROR what is missing and the command that mends it; exit 1
# NOT HERE anything that needs root, anything outside this directory
#
# Runs before every command of this project, so the way with nothing to do must stay well under a second.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
cd -- "$root"

NODE_MINIMUM=20      # enough for npm itself; what runs Hato is node_modules/.bin/node
NODE_OURS=24         # `await using` and type stripping
NATS_MINIMUM=2.12    # the first with scheduled messages and atomic batches
NATS_SUITE=forky     # the Debian suite whose nats-server is new enough
STAMP=node_modules/.hato-lock
NATS_CACHED=$root/.cache/bin/nats-server

say() { printf 'hato: %s\n' "$*" >&2; }
die() { say "$1"; shift; printf '      %s\n' "$@" >&2; exit 1; }

node_major() { "$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }

check_machine() {
  command -v node >/dev/null || die "Node.js is missing" "install Node.js $NODE_MINIMUM or newer: apt-get install nodejs npm, or https://nodejs.org"
  command -v npm >/dev/null || die "npm is missing" "install it: apt-get install npm, or https://nodejs.org"
  local major
  major=$(node_major node)
  ((major >= NODE_MINIMUM)) || die "Node.js $(node --version) is too old, at least $NODE_MINIMUM is needed" "see https://nodejs.org; Node $NODE_OURS itself then comes with the dependencies"
  command -v flock >/dev/null || die "flock is missing" "install util-linux (apt-get install util-linux)"
}

lock_hash() { sha256sum package-lock.json | cut -d' ' -f1; }
packages_ready() { [[ -x node_modules/.bin/node && -f $STAMP && $(<"$STAMP") == "$(lock_hash)" ]]; }

install_packages() {
  local hash log=.cache/npm-ci.log
  hash=$(lock_hash)
  say "installing the locked dependencies (npm ci)"
  # Said outright, since NODE_ENV=production or an .npmrc would leave out what the tests and Node $NODE_OURS come in.
  npm ci --include=dev --include=optional --no-audit --no-fund --loglevel=error >"$log" 2>&1 || {
    grep -v '^npm error *\(at .*\)\?$' "$log" | head -n 12 >&2 || true
    die "npm ci failed, see $log" "either the registry cannot be reached, or package.json and package-lock.json disagree;" "mend it and run the same command again"
  }
  link_node
  printf '%s\n' "$hash" >"$STAMP"
}

# Node 24 comes as a package for Linux on x64 and arm64; elsewhere the machine's own serves, when it is new enough.
link_node() {
  local own
  [[ -x node_modules/.bin/node ]] && return
  own=$(command -v node)
  (($(node_major "$own") >= NODE_OURS)) || die "no Node $NODE_OURS for this machine came with the dependencies ($(uname -sm))" "install Node.js $NODE_OURS yourself: https://nodejs.org"
  ln -s "$own" node_modules/.bin/node
}

# new_enough PROGRAM: is it a nats-server of at least NATS_MINIMUM?
new_enough() {
  local version
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version##*v}
  [[ $(printf '%s\n' "$NATS_MINIMUM" "$version" | sort -V | head -n1) == "$NATS_MINIMUM" ]]
}

nats_ready() {
  if command -v nats-server >/dev/null && new_enough nats-server; then return 0; fi
  [[ -x $NATS_CACHED ]] && new_enough "$NATS_CACHED"
}

nats_die() {
  die "$1" "Hato needs nats-server $NATS_MINIMUM or newer. Put one on PATH or at .cache/bin/nats-server:" \
    "https://github.com/nats-io/nats-server/releases or the package nats-server of Debian $NATS_SUITE"
}

# The archives this machine's own apt uses, Debian's usual one last. --print-uris needs neither lists nor network.
archives() {
  apt-get -qq -o Dir::State::lists="$1/none" -o APT::Sandbox::User= update --print-uris 2>/dev/null |
    sed -n "s|^'\(.*\)/dists/.*/InRelease'.*|\1|p" | grep -v security || true
  echo http://deb.debian.org/debian
}

# apt with lists, sources and preferences of its own: the machine's are neither read nor touched, so an ordinary user may run it.
private_apt() {
  local place=$1
  shift
  apt-get -qq -o Dir::Etc::sourcelist="$place/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o Dir::State::lists="$place/lists" -o Dir::Cache="$place/cache" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
    -o APT::Sandbox::User= -o Acquire::Languages=none -o APT::Update::Error-Mode=any "$@"
}

fetch_nats() {
  local place=$root/.cache/nats.part keyring=/usr/share/keyrings/debian-archive-keyring.gpg archive log=$root/.cache/nats.log program
  command -v nats-server >/dev/null && say "the nats-server on PATH is older than $NATS_MINIMUM and is not used"
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || nats_die "nats-server is missing, and this is no Debian to fetch it from"
  [[ -r $keyring ]] || nats_die "nats-server is missing, and so is $keyring (package debian-archive-keyring) to verify Debian's"
  say "fetching nats-server from Debian $NATS_SUITE"
  rm -rf "$place"
  mkdir -p "$place/lists/partial" "$place/none/partial" "$place/cache/archives/partial" .cache/bin
  : >"$log"
  # Trying an archive that is not Debian's does no harm: what the keyring has not signed is refused.
  while read -r archive; do
    echo "deb [signed-by=$keyring] $archive $NATS_SUITE main" >"$place/sources.list"
    if private_apt "$place" update >>"$log" 2>&1 && (cd "$place" && private_apt "$place" download nats-server) >>"$log" 2>&1; then break; fi
  done < <(archives "$place" | awk '!seen[$0]++')
  if ! compgen -G "$place/nats-server_*.deb" >/dev/null; then
    tail -n 5 "$log" >&2
    nats_die "nats-server could not be fetched, see .cache/nats.log"
  fi
  dpkg-deb -x "$place"/nats-server_*.deb "$place/root" 2>>"$log" || nats_die "nats-server's package could not be unpacked, see .cache/nats.log"
  program=$(find "$place/root" -type f -name nats-server -perm -u+x | head -n1)
  [[ -n $program ]] && new_enough "$program" || nats_die "the nats-server of Debian $NATS_SUITE does not run here or is older than $NATS_MINIMUM"
  mv -f "$program" "$NATS_CACHED" # a rename, so that whoever runs the old one keeps it
  rm -rf "$place"
}

check_machine
if packages_ready && nats_ready; then exit 0; fi
mkdir -p .cache 2>/dev/null && [[ -w .cache ]] || die "$root/.cache cannot be written" "run as the owner of this directory, or: chown -R \"\$USER\" \"$root\""
# Two commands started at once in a fresh clone: the second waits here and then finds everything done.
exec 9>.cache/bootstrap.lock
flock 9
packages_ready || install_packages
nats_ready || fetch_nats
