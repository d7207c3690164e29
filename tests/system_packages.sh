#!/bin/sh
# Installs what the tests run against, where it is missing and may be installed; says what to type where it may not.
set -eu
need="postgresql mariadb-server unixodbc odbcinst odbc-postgresql odbc-mariadb tdsodbc libsqliteodbc
	libpostgresql-jdbc-java libmariadb-java libh2-java libhsqldb-java libderby-java
	libxerial-sqlite-jdbc-java slapd ldap-utils libsasl2-modules 389-ds-base samba samba-ad-dc
	samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba winbind openssh-server chromium
	pgbouncer prometheus prometheus-node-exporter krb5-user krb5-kdc krb5-admin-server libkrb5-dev gcc python3-dev"
command -v java >/dev/null || need="$need default-jre-headless"
missing=""
for package in $need; do
	dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
command -v apt-get >/dev/null || { echo "tests: install these for the full run:$missing" >&2; exit 0; }
if [ "$(id -u)" = 0 ]; then run=""; elif sudo -n true 2>/dev/null; then run="sudo"; else
	echo "tests: as root, type: apt-get install$missing" >&2
	exit 0
fi
export DEBIAN_FRONTEND=noninteractive
$run apt-get update -qq
echo 'slapd slapd/no_configuration boolean true' | $run debconf-set-selections
# shellcheck disable=SC2086
$run apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing >/dev/null
