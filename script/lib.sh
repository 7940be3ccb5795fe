# Functions of the scripts in this directory. Source it: it changes to the root of the repository.
# shellcheck shell=bash
# Nothing of the machine is touched but its packages; everything else stays in .venv/, .lab/ and report/.
set -euo pipefail

# --help explains and starts nothing: a program of the script explains itself, else the comment at the top of the script.
HELP=
for word in "$@"; do
    case $word in --help | -h) HELP=1 ;; esac
done
if [ "$HELP" ]; then
    case ${0##*/} in
    demo | docs | lock | test) own= ;;
    *) own=1 ;;
    esac
    if [ ! "$own" ] || [ ! -x "$(dirname "${BASH_SOURCE[0]}")/../.venv/bin/python" ]; then
        case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
        [zZ][hH]*) beginning='#zh' ;; # the same in Chinese, where the script has it
        *) beginning='#' ;;
        esac
        grep -q "^$beginning " "$0" || beginning='#'
        sed -n "2,/^[^#]/{ s/^$beginning\$//p; s/^$beginning //p; }" "$0" | grep -v '^shellcheck'
        exit 0
    fi
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" # a plain user's often lacks them
export PIP_DISABLE_PIP_VERSION_CHECK=1
unset PYTHONDONTWRITEBYTECODE # each start of Python would compile all modules again

OLDEST_PYTHON=3.10
LAB_PACKAGES=(mmdebstrap iproute2 util-linux openssh-client gcc libc6-dev debian-archive-keyring)
SELFTEST_PACKAGES=(chromium strace systemd) # systemd: its verifier of units, nothing that runs
ROOT_SELFTEST_PACKAGES=(openssh-server) # its tests start servers of their own, which takes root

say() { # ENGLISH CHINESE: the one that the locale asks for
    case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
    [zZ][hH]*) printf '%s\n' "$2" ;;
    *) printf '%s\n' "$1" ;;
    esac
}

step() { printf '\n==> %s\n' "$(say "$@")"; }

fail() {
    say "$@" >&2
    exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

prepare_lab() { # everything that the lab and the suite need
    [ ! "$HELP" ] || return 0
    own_directories
    need_packages "${LAB_PACKAGES[@]}"
    make_venv requirements.lock
}

prepare_selftests() { # and what their proofs need
    [ ! "$HELP" ] || return 0
    own_directories
    if is_root; then
        need_packages "${LAB_PACKAGES[@]}" "${SELFTEST_PACKAGES[@]}" "${ROOT_SELFTEST_PACKAGES[@]}"
    else
        need_packages "${LAB_PACKAGES[@]}" "${SELFTEST_PACKAGES[@]}"
    fi
    make_venv requirements-dev.lock
}

own_directories() { # a run by root leaves files that a later run by a user cannot replace
    local place
    for place in .venv .lab report; do
        [ ! -e "$place" ] || [ -w "$place" ] || fail \
            "$PWD/$place belongs to another user, probably from a run with sudo. Use sudo again, or: sudo rm -rf $PWD/$place" \
            "$PWD/$place 属于其他用户，可能是之前用 sudo 运行的结果。请继续使用 sudo，或执行：sudo rm -rf $PWD/$place"
    done
}

# --- system packages

need_packages() { # PACKAGE...: installs what is missing as root; tells a plain user the line that does
    local missing=()
    is_root || set -- "$@" uidmap # the lab of a plain user lives on subordinate ids
    [ -n "$(find_python)" ] || set -- "$@" python3-venv
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail \
        "This script installs packages on Debian and Ubuntu only. Install these, or what they are called here: ${missing[*]}" \
        "本脚本只会在 Debian 和 Ubuntu 上安装软件包。请自行安装（名称可能不同）：${missing[*]}"
    if is_root; then
        install_packages "${missing[@]}"
    else
        say "Missing on this machine. Run this line, then this script again:" "本机缺少软件包。执行下面这一行，然后重新运行本脚本：" >&2
        printf '  sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n' "${missing[*]}" >&2
        exit 1
    fi
}

missing_packages() { # PACKAGE...: those that are not installed, one a line
    local package
    for package; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed* ]] || printf '%s\n' "$package"
    done
}

install_packages() {
    step "installing packages: $*" "安装软件包：$*"
    mkdir -p .lab
    without_daemons /usr/sbin/policy-rc.d apt_get "$@" || fail \
        "apt-get failed, see $PWD/.lab/apt.log" "apt-get 失败，见 $PWD/.lab/apt.log"
    if [[ " $* " == *" openssh-server "* ]] && command -v systemctl >/dev/null; then
        systemctl --quiet disable ssh.service ssh.socket >>.lab/apt.log 2>&1 || true # nor at the next boot
    fi
}

apt_get() {
    local options=(-q -y --no-install-recommends -o Dpkg::Use-Pty=0)
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -q update && apt-get "${options[@]}" install "$@"; } 2>&1 | tee .lab/apt.log | sed -un 's/^Setting up \([^ :]*\).*/  \1/p; s/^E: /  &/p'
}

without_daemons() { # POLICY COMMAND...: while COMMAND runs, Debian's own switch keeps new packages from starting daemons
    local policy=$1
    shift
    if [ -e "$policy" ]; then # the administrator has set a policy
        "$@"
        return
    fi
    (
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        "$@"
    )
}

# --- Python

find_python() { # print the first interpreter that is new enough and can create virtual environments, or nothing
    local name
    for name in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        if "$name" -c "import sys, venv, ensurepip; sys.exit(sys.version_info < (${OLDEST_PYTHON/./, }))" 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
}

make_venv() { # LOCK: .venv holds what LOCK names; nothing to do when it does already
    local lock=$1 python
    if is_installed "$lock"; then return; fi
    if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
        python=$(find_python)
        [ -n "$python" ] || fail \
            "No Python >= $OLDEST_PYTHON here that can make virtual environments; PYTHON=/path/to/python3 $0 names one." \
            "没有可创建虚拟环境的 Python >= $OLDEST_PYTHON；可用 PYTHON=/path/to/python3 $0 指定。"
        step "Python environment .venv, with $python ($("$python" -V))" "用 $python（$("$python" -V)）创建 Python 环境 .venv"
        "$python" -m venv --clear .venv
    fi
    step "Python packages of $lock" "$lock 中的 Python 包"
    .venv/bin/python -m pip install --progress-bar off --require-hashes --only-binary :all: -r "$lock" |
        sed -un 's/^Collecting \([^ ]*\).*/  \1/p'
    .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable . # a plugin of pytest, see bkpaas/plugin/early.py
    fingerprint "$lock" >.venv/installed
}

is_installed() { # LOCK: the environment works and was made from LOCK, or from one that holds all of it
    [ -x .venv/bin/python ] && .venv/bin/python -c '' && grep -qxF "$(sha256sum "$1")" .venv/installed 2>/dev/null
}

fingerprint() { # LOCK: one line for each lock file that an environment made from LOCK satisfies
    sha256sum "$1"
    [ "$1" != requirements-dev.lock ] || sha256sum requirements.lock
}

lab() { .venv/bin/python -m lab "$@"; }
