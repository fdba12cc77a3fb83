#!/usr/bin/env bash
# engine.sh: a Docker engine with Compose v2 and the two base images, on a machine that has none of them.
#
#   engine.sh up IMAGE…   each missing image is pulled, or built as a stand-in when no registry can be reached (node:*, nats:*)
#   engine.sh down        ends the engine that `up` started
#
# OWNS     everything below $PLACE (the images too, so that the next run takes seconds), the processes of its engine
# SAYS     on stdout one line `DOCKER_HOST=…` of the engine to use, then `STARTED=yes|no`; steps on stderr
# ON ERROR what is missing and the command that mends it; exit 1
#
# An engine that answers already is used as it is. Otherwise one is started, which needs root and Debian (docker.io, debootstrap).
# A stand-in holds what the official image holds and carries its tag: Debian with Node 24 and npm, or with Debian's nats-server.
set -euo pipefail
PLACE=${XDG_CACHE_HOME:-$HOME/.cache}/hato-compose
SOCKET=$PLACE/docker.sock
NATS_SUITE=forky      # the Debian suite whose nats-server is new enough
COMPOSE_SUITE=trixie  # and the one whose docker-compose is v2
PULL_SECONDS=120
mkdir -p "$PLACE"

say() { printf 'compose: %s\n' "$*" >&2; }
die() { say "$1"; shift; printf '         %s\n' "$@" >&2; exit 1; }
insist_on_root() {
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null && return
  die "$1, and only root on Debian can set one up here" "start Docker (with Compose v2) and run the same command again, or: sudo npm run test:compose"
}

answers() { timeout 20 docker info >/dev/null 2>&1; }

engine() {
  STARTED=no
  if command -v docker >/dev/null; then
    answers && return
    export DOCKER_HOST=unix://$SOCKET
    answers && return
  fi
  insist_on_root "no Docker engine answers"
  install_packages
  say "starting a Docker engine, its log is $PLACE/dockerd.log"
  export DOCKER_HOST=unix://$SOCKET
  # Its own root, so that containers of another engine on this machine are neither seen nor restarted.
  setsid dockerd --host "$DOCKER_HOST" --data-root "$PLACE/docker" --exec-root /run/hato-compose --pidfile "$PLACE/dockerd.pid" \
    >"$PLACE/dockerd.log" 2>&1 </dev/null 9>&- &
  for _ in $(seq 120); do answers && break; sleep 0.5; done
  # With cgroups v1 all containers together weigh as much as one process outside; they are a dozen.
  [[ ! -d /sys/fs/cgroup/cpu ]] || { mkdir -p /sys/fs/cgroup/cpu/docker && echo 10240 >/sys/fs/cgroup/cpu/docker/cpu.shares; } 2>/dev/null || true
  answers || { tail -n 5 "$PLACE/dockerd.log" >&2; die "the Docker engine did not start" "see $PLACE/dockerd.log"; }
  STARTED=yes
}

install_packages() {
  local missing=()
  command -v dockerd >/dev/null || missing+=(docker.io iptables)
  command -v debootstrap >/dev/null || missing+=(debootstrap)
  ((${#missing[@]})) || return 0
  say "apt-get install ${missing[*]}"
  apt-get update -qq >"$PLACE/apt.log" 2>&1 || say "apt-get update complained; trying with the lists there are"
  # The packages' services stay off: this engine runs with a root of its own.
  local policy=/usr/sbin/policy-rc.d own=
  [[ -e $policy ]] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && own=yes; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >>"$PLACE/apt.log" 2>&1 ||
    { tail -n 5 "$PLACE/apt.log" >&2; die "could not install ${missing[*]}" "see $PLACE/apt.log"; }
  [[ -z $own ]] || rm -f "$policy"
}

# The Debian archive that this machine's own apt uses. --print-uris needs neither lists nor network.
archive() {
  mkdir -p "$PLACE/none/partial"
  local found
  found=$(apt-get -qq -o Dir::State::lists="$PLACE/none" -o APT::Sandbox::User= update --print-uris 2>/dev/null |
    sed -n "s|^'\(.*\)/dists/bookworm/InRelease'.*|\1|p" | head -n1)
  echo "${found:-http://deb.debian.org/debian}"
}

# debian_from SUITE PACKAGE: one package of another Debian suite, unpacked below $PLACE/SUITE-PACKAGE/root
debian_from() {
  local suite=$1 package=$2 out=$PLACE/$1-$2
  [[ -d $out/root ]] && return
  say "fetching $package from Debian $suite"
  rm -rf "$out" && mkdir -p "$out/lists/partial" "$out/cache/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(archive) $suite main" >"$out/sources.list"
  local own=(-qq -o Dir::Etc::sourcelist="$out/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null
    -o Dir::State::lists="$out/lists" -o Dir::Cache="$out/cache" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=)
  apt-get "${own[@]}" update >"$out/apt.log" 2>&1 && (cd "$out" && apt-get "${own[@]}" download "$package") >>"$out/apt.log" 2>&1 ||
    { tail -n 5 "$out/apt.log" >&2; die "$package of Debian $suite could not be fetched" "see $out/apt.log"; }
  dpkg-deb -x "$out/$package"_*.deb "$out/root.part" && mv "$out/root.part" "$out/root"
}

compose_v2() {
  docker compose version >/dev/null 2>&1 && return
  insist_on_root "Docker has no Compose v2"
  debian_from $COMPOSE_SUITE docker-compose
  local plugin
  plugin=$(find "$PLACE/$COMPOSE_SUITE-docker-compose/root" -path '*cli-plugins/docker-compose' | head -n1)
  install -D -m 755 "$plugin" /usr/libexec/docker/cli-plugins/docker-compose
}

image() {
  docker image inspect "$1" >/dev/null 2>&1 && return
  say "pulling $1"
  timeout $PULL_SECONDS docker pull -q "$1" >"$PLACE/pull.log" 2>&1 && return
  insist_on_root "$1 cannot be pulled ($(tail -n1 "$PLACE/pull.log"))"
  install_packages
  say "it cannot be pulled ($(tail -n1 "$PLACE/pull.log" | cut -c1-120)); building a stand-in"
  debian_base
  case $1 in
    node:*) node_stand_in "$1" ;;
    nats:*) nats_stand_in "$1" ;;
    *) die "there is no stand-in for $1" ;;
  esac
}

debian_base() {
  docker image inspect hato-stand-in/bookworm >/dev/null 2>&1 && return
  local root=$PLACE/rootfs
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates,busybox bookworm "$root" "$(archive)" >"$PLACE/debootstrap.log" ||
    die "debootstrap failed" "see $PLACE/debootstrap.log"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar -c -C "$root" . | docker import - hato-stand-in/bookworm >/dev/null
  rm -rf "$root"
}

# build TAG DIR: DIR/layer laid over the base, as DIR/Dockerfile says
build() { docker build -q -t "$1" "$2" >/dev/null 2>"$PLACE/build.log" || { cat "$PLACE/build.log" >&2; die "the stand-in for $1 could not be built"; }; }

node_stand_in() {
  local dir=$PLACE/node
  rm -rf "$dir" && mkdir -p "$dir/layer/usr/local/lib/node_modules" "$dir/package" && cd "$dir"
  tar -xzf "$(npm pack --silent "node-linux-$([[ $(uname -m) == aarch64 ]] && echo arm64 || echo x64)@24" 2>/dev/null | tail -n1)"
  cp -r package/bin layer/usr/local/bin
  cp -r "$(npm root -g 2>/dev/null)/npm" layer/usr/local/lib/node_modules/npm
  ln -s ../lib/node_modules/npm/bin/npm-cli.js layer/usr/local/bin/npm
  ln -s ../lib/node_modules/npm/bin/npx-cli.js layer/usr/local/bin/npx
  {
    echo 'FROM hato-stand-in/bookworm'
    echo 'RUN groupadd -g 1000 node && useradd -m -u 1000 -g 1000 node' # as in the official image
    echo 'COPY layer /'
    if [[ -r ${NODE_EXTRA_CA_CERTS:-} ]]; then # a machine whose registry stands behind a certificate authority of its own
      cp "$NODE_EXTRA_CA_CERTS" layer/usr/local/extra-ca.pem
      echo 'ENV NODE_EXTRA_CA_CERTS=/usr/local/extra-ca.pem'
    fi
    echo 'CMD ["node"]'
  } >Dockerfile
  build "$1" "$dir"
}

nats_stand_in() {
  local dir=$PLACE/nats
  debian_from $NATS_SUITE nats-server
  rm -rf "$dir" && mkdir -p "$dir/layer/usr/local/bin" "$dir/layer/etc/nats" && cd "$dir"
  cp "$(find "$PLACE/$NATS_SUITE-nats-server/root" -name nats-server -type f | head -n1)" layer/usr/local/bin/
  # as the official entry point does: options alone mean "run nats-server with these options"
  printf '#!/bin/sh\nset -e\nif [ "${1#-}" != "$1" ]; then set -- nats-server "$@"; fi\nexec "$@"\n' >layer/usr/local/bin/docker-entrypoint.sh
  chmod 755 layer/usr/local/bin/docker-entrypoint.sh
  printf 'port: 4222\nmonitor_port: 8222\n' >layer/etc/nats/nats-server.conf
  {
    echo 'FROM hato-stand-in/bookworm'
    echo 'COPY layer /'
    echo 'RUN ln -sf /bin/busybox /usr/local/bin/wget' # the official alpine image has it, health checks use it
    echo 'EXPOSE 4222 6222 8222'
    echo 'ENTRYPOINT ["docker-entrypoint.sh"]'
    echo 'CMD ["nats-server", "--config", "/etc/nats/nats-server.conf"]'
  } >Dockerfile
  build "$1" "$dir"
}

end_engine() {
  [[ -f $PLACE/dockerd.pid ]] || return 0
  local pid
  pid=$(<"$PLACE/dockerd.pid")
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 60); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.5; done
  die "the engine (pid $pid) does not end" "see $PLACE/dockerd.log"
}

case ${1:-} in
  up)
    shift
    # Two clones that test at once set up one engine, one after the other.
    exec 9>"$PLACE/lock"
    flock 9
    engine
    echo "DOCKER_HOST=${DOCKER_HOST:-}"
    echo "STARTED=$STARTED"
    compose_v2
    for name in "$@"; do image "$name"; done
    ;;
  down) end_engine ;;
  *) sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
