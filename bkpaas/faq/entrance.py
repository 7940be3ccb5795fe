"""What stands in front of login: the virtual address of the nginx hosts, and the certificate of the domain."""

from __future__ import annotations

from bkpaas.faq.model import (
    RELOAD,
    Condition,
    Each,
    FromController,
    Text,
    VirtualAddresses,
    anywhere,
    by_hand,
    needed,
    repair,
    same_host,
)
from bkpaas.inventory.platform import LOGIN_CALLER_ROLES

_NOBODY_HTTPS = Text(en="the domain is served under http", zh="域名使用 http")
_UNSEEN = (
    "virtual-address-held",
    "nginx-conf-port80",
    "nginx-listen-vs-domain",
)

_EVERY_NGINX = Text(en="on every nginx host", zh="在每台 nginx 主机上执行")
_SHOW = "openssl s_client -connect {address}:{domain_port} -servername {domain} < /dev/null"

CONDITIONS = (
    Condition(
        id="virtual-address-held",
        scopes=(VirtualAddresses(),),
        title=Text(
            en="Exactly one nginx host holds the virtual address, and nginx listens on it there",
            zh="虚拟地址由且仅由一台 nginx 主机持有，且该主机的 nginx 在其上监听",
        ),
        reads=Text(
            en="The addresses of every nginx host with their interfaces, for each of `virtual_addresses` "
            "of the inventory; the listening sockets of the host that holds it; a TCP connection of "
            "the controller to it when no nginx host does.",
            zh="对清单 `virtual_addresses` 中的每个地址：各 nginx 主机的地址及其网卡；持有主机的监听套接字；"
            "没有 nginx 主机持有时，运行套件的机器到该地址的 TCP 连接。",
        ),
        fails=Text(
            en="Two nginx hosts hold the address (on loopback does not count), or none does and nothing "
            "answers there either, or the holder does not listen on the domain's port of it.",
            zh="两台 nginx 主机同时持有该地址（回环网卡不算）；或没有主机持有且连接不上；或持有的主机没有"
            "在该地址的域名端口监听。",
        ),
        means=Text(
            en="Held by no host, nobody reaches the domain. Held by two, requests end on either by chance, and "
            "connections break whenever the network learns the address on the other one.",
            zh="没有主机持有则域名不可访问；两台同时持有则请求随机落到其中一台，网络设备重新学习到另一台时连接会中断。",
        ),
        remedy=repair(
            Text(
                en="Held by no host: start what moves the address (keepalived) on an nginx host. Held by several: they do "
                "not hear each other; let VRRP (protocol 112) pass between them, then see that the others gave "
                "the address up.",
                zh="无人持有：在一台 nginx 主机上启动管理该地址的程序（keepalived）。多台持有：它们互相收不到通告，"
                "放行两者之间的 VRRP（协议号 112），再确认其他主机已释放该地址。",
            ),
            ("grep -i -e vrrp -e keepalived /var/log/messages | tail -n 50", _EVERY_NGINX),
            ("ip -4 address show | grep -w {virtual}", _EVERY_NGINX),
            (
                "ss -lntp | grep ':{domain_port} '",
                Text(en="on the one that holds it", zh="在持有该地址的主机上执行"),
            ),
        ),
        causes=same_host("nginx-conf-port80"),
        nobody=Text(
            en="no virtual address is declared, or not every nginx host is looked at",
            zh="未声明虚拟地址，或没有查看全部 nginx 主机",
        ),
    ),
    Condition(
        id="domain-certificate",
        scopes=(FromController(),),
        schemes=("https",),
        title=Text(
            en="The certificate of the PaaS domain is valid: trusted, for this name, within its dates",
            zh="PaaS 域名的证书有效：受信任、名称匹配、在有效期内",
        ),
        reads=Text(
            en="The certificate that the domain's address presents to the controller for the domain, and "
            "that each nginx host presents; verified with `ca_file` of the inventory, else with the "
            "system's store.",
            zh="域名地址及每台 nginx 主机向运行套件的机器出示的域名证书；用清单的 `ca_file` 校验，未配置时用系统信"
            "任库。",
        ),
        fails=Text(
            en="OpenSSL refuses one of them: out of its dates, for other names (a wildcard stands for one "
            "label), or of an unknown authority; or no TLS connection comes about.",
            zh="其中任何一个被 OpenSSL 拒绝：不在有效期内、名称不符（通配符只代表一级）、签发机构未知；或"
            "无法建立 TLS 连接。",
        ),
        means=Text(
            en="Browsers warn, and every program that verifies certificates cannot ask login: its users "
            "are sent to the login page again and again. A bad one on the standby host shows after the "
            "next switch-over.",
            zh="浏览器警告，校验证书的程序无法访问 login，用户反复回到登录页。备机上的问题证书会在下次切换"
            "后暴露。",
        ),
        remedy=repair(
            Text(
                en="Install a certificate for {domain} with its chain on every nginx host and reload. If only the "
                "authority is unknown, name its file as ca_file: in deployment.yaml.",
                zh="在每台 nginx 主机上安装 {domain} 的证书（含证书链）并重载。若只是签发机构未知，在 "
                "deployment.yaml 的 ca_file: 中写明其证书文件。",
            ),
            ("grep -rn ssl_certificate {nginx_folder}", _EVERY_NGINX),
            by_hand(
                en="install the certificate there, on every nginx host", zh="此时在每台 nginx 主机上安装证书"
            ),
            RELOAD,
            f"{_SHOW} | openssl x509 -noout -subject -issuer -dates",
        ),
        causes=(*needed("host-reachable"), *anywhere(*_UNSEEN)),
        nobody=_NOBODY_HTTPS,
    ),
    Condition(
        id="domain-certificate-expiry",
        scopes=(FromController(),),
        schemes=("https",),
        severity="warn",
        title=Text(
            en="The certificate of the PaaS domain does not end soon",
            zh="PaaS 域名的证书不会很快到期",
        ),
        reads=Text(
            en="The last day of the same certificates.",
            zh="上述证书的到期日。",
        ),
        fails=Text(
            en="One of them ends in fewer than `certificate_days` (30) days.",
            zh="其中任何一个距到期少于 `certificate_days`（30）天。",
        ),
        means=Text(
            en="Nothing yet; on that day everything behind the domain stops at once.",
            zh="目前没有影响；到期当天域名下的一切会同时不可用。",
        ),
        remedy=repair(
            Text(
                en="Have it renewed, and install it on every nginx host before that day.",
                zh="尽快续期，并在到期前安装到每台 nginx 主机。",
            ),
            f"{_SHOW} | openssl x509 -noout -enddate",
        ),
        causes=(*needed("host-reachable"), *anywhere("domain-certificate", *_UNSEEN)),
        nobody=_NOBODY_HTTPS,
    ),
    Condition(
        id="domain-certificate-trusted",
        scopes=(Each(LOGIN_CALLER_ROLES),),
        schemes=("https",),
        severity="warn",
        title=Text(
            en="The host's own store of authorities trusts the certificate of the PaaS domain",
            zh="主机自身的信任库信任 PaaS 域名的证书",
        ),
        reads=Text(
            en="From every host that asks login: one request for is_login through the domain, verified "
            "with the host's own store of authorities, not with `ca_file`.",
            zh="在每台需要访问 login 的主机上：通过域名请求一次 is_login，用主机自身的信任库校验，不使用 "
            "`ca_file`。",
        ),
        fails=Text(
            en="The certificate is refused there.",
            zh="证书在该主机上被拒绝。",
        ),
        means=Text(
            en="Programs of this host that verify certificates cannot check logins; those that do not "
            "verify go on working, so this is a warning.",
            zh="该主机上校验证书的程序无法校验登录态；不校验证书的程序照常工作，因此只是警告。",
        ),
        remedy=repair(
            Text(
                en="Programs of this host that verify certificates cannot ask login whether a user is logged in. "
                "Put the site's authority into /etc/pki/ca-trust/source/anchors (Debian: "
                "/usr/local/share/ca-certificates), and restart those programs afterwards.",
                zh="该主机上校验证书的程序无法向 login 校验登录态。把站点的签发机构证书放入 "
                "/etc/pki/ca-trust/source/anchors（Debian：/usr/local/share/ca-certificates），更新后重启这些程序。",
            ),
            "update-ca-trust || update-ca-certificates",
            "curl -sS -o /dev/null {url}",
        ),
        causes=(
            *same_host("domain-resolve", "clock-all"),
            *needed("host-reachable"),
            *anywhere("domain-certificate", *_UNSEEN),
        ),
        nobody=_NOBODY_HTTPS,
    ),
)
