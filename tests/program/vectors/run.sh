#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# vectors - ccdm-setup verify with real evidence, and the verdicts that it must give
#
# The evidence is in ../shared/vectors, or CCDM_VECTORS=DIR; without it all tests are skipped.
set -u
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib/ktap.sh
V=${CCDM_VECTORS:-../shared/vectors}
setup=build/bin/ccdm-setup
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
echo "KTAP version 1"
if [ ! -e "$V/README.md" ]; then
	echo "ok 1 real evidence # SKIP no folder $V"
	echo "1..1"
	exit 0
fi

# verdict CODE "FAILED CHECKS" WHAT KIND FILE OPTION...: the exit code, and the failing checks
verdict() {
	local code=$1 want=$2 what=$3 rc failed
	shift 3
	"$setup" verify "$@" --json >"$tmp/out" 2>"$tmp/err"
	rc=$?
	failed=$(python3 -c 'import json, sys; print(*[c["name"] for c in json.load(sys.stdin).get("checks", []) if not c["passed"]])' \
		<"$tmp/out" 2>/dev/null)
	if [ "$rc" = "$code" ] && [ "$failed" = "$want" ]; then
		result 0 "$what"
	else
		note "exit code $rc, failed: $failed; $(cat "$tmp/err")"
		result 1 "$what"
	fi
}

S=$V/trustee-snp
# certificates between AMD's roots and a VCEK or VLEK are built in
openssl crl2pkcs7 -nocrl -certfile "$S/milan_ask_ark_asvk.pem" | openssl pkcs7 -print_certs | sed -n '/^subject.*ARK-Milan/,/END/p' >"$tmp/ark.pem"
# the firmware of each of these platforms has vulnerabilities that AMD published later
old=no-crl,tcb-out-of-date
milan="--allow $old"
# shellcheck disable=SC2086
{
verdict 0 "" "SNP v2, VCEK" snp "$S/test-report.bin" --cert "$S/test-vcek.der" $milan --at 2025-06-01
verdict 7 "crl" "and without --allow no-crl" snp "$S/test-report.bin" --cert "$S/test-vcek.der" --allow tcb-out-of-date --at 2025-06-01
verdict 7 "firmware" "and without --allow tcb-out-of-date: SNP 8, microcode 115" snp "$S/test-report.bin" --cert "$S/test-vcek.der" --allow no-crl --at 2025-06-01
# floor CODE "FAILED CHECKS" WHAT LIST
floor() {
	printf '%b' "$4" >"$tmp/floor"
	verdict "$1" "$2" "and with a floor of one's own$3" snp "$S/test-report.bin" --cert "$S/test-vcek.der" --allow no-crl --at 2025-06-01 --tcb-floor "$tmp/floor"
}
floor 0 "" "" 'milan snp 8 ours\nmilan microcode 0x73 ours\n'
floor 7 "firmware" " that is one higher" 'milan snp 8 ours\nmilan microcode 0x74 ours\n'
floor 7 "firmware" " of another generation" 'genoa snp 0 ours\n'
floor 1 "" " without a source" 'milan snp 8\n'
verdict 0 "" "and with --chain all the same" snp "$S/test-report.bin" --cert "$S/test-vcek.der" --chain "$S/milan_ask_ark_asvk.pem" $milan --at 2025-06-01
verdict 7 "chain" "and not where another root is named" snp "$S/test-report.bin" --cert "$S/test-vcek.der" --root "$V/go-tdx-guest/trusted_root.pem" $milan --at 2025-06-01
verdict 0 "" "but where that root and its chain are" snp "$S/test-report.bin" --cert "$S/test-vcek.der" --root "$tmp/ark.pem" --chain "$S/milan_ask_ark_asvk.pem" $milan --at 2025-06-01
verdict 7 "firmware debug" "SNP v2, debug policy" snp "$V/go-sev-guest/attestation.bin" --cert "$V/go-sev-guest/vcek.testcer" --allow no-crl --at 2025-06-01
verdict 0 "" "and with --allow debug" snp "$V/go-sev-guest/attestation.bin" --cert "$V/go-sev-guest/vcek.testcer" --allow $old,debug --at 2025-06-01
verdict 7 "vmpl" "SNP v3, VLEK, in its time" snp "$S/test-vlek-report.bin" --cert "$S/test-vlek.der" $milan --at 2025-06-01
verdict 0 "" "and with --allow vmpl" snp "$S/test-vlek-report.bin" --cert "$S/test-vlek.der" $milan --allow vmpl --at 2025-06-01
verdict 7 "firmware vmpl" "and with firmware that has SNP 24" snp "$S/test-vlek-report.bin" --cert "$S/test-vlek.der" --allow no-crl --at 2025-06-01
verdict 7 "validity vmpl" "and after it" snp "$S/test-vlek-report.bin" --cert "$S/test-vlek.der" $milan --at 2026-06-01
verdict 7 "chain signature tcb chip-id" "a VCEK that does not chain, HWID in bytes" snp "$S/test-report.bin" --cert "$S/test-vcek-invalid-legacy.der" $milan
verdict 7 "chain signature tcb chip-id" "one with HWID as a string" snp "$S/test-report.bin" --cert "$S/test-vcek-invalid-new.der" $milan
verdict 7 "signature tcb chip-id firmware" "a VCEK of Turin" snp "$S/test-report.bin" --cert "$V/virtee-sev/vcek_turin.der" --allow no-crl --at 2025-06-01
verdict 7 "crl firmware" "the chain of Genoa is in nobody's way" snp "$S/test-report.bin" --cert "$S/test-vcek.der" --chain "$S/genoa_ask_ark_asvk.pem" --at 2025-06-01
verdict 7 "certificate" "no VCEK" snp "$S/test-report.bin"
verdict 0 "" "SNP v2, its VCEK among others" snp "$S/test-report.bin" --cert "$S/test-vlek.der" --cert "$S/test-vcek.der" --cert "$V/virtee-sev/vcek_turin.der" $milan --at 2025-06-01
od -An -v -tx1 "$S/test-report.bin" >"$tmp/hex"
verdict 0 "" "SNP v2, as hex text" snp "$tmp/hex" --cert "$S/test-vcek.der" $milan --at 2025-06-01
base64 "$S/test-report.bin" >"$tmp/base64"
verdict 0 "" "SNP v2, as base64 text" snp "$tmp/base64" --cert "$S/test-vcek.der" $milan --at 2025-06-01
python3 -c 'import struct, sys
report, cert = (open(f, "rb").read() for f in sys.argv[1:])
vcek = bytes.fromhex("8d75da6364e66445adc5f4b93be8accd")
sys.stdout.buffer.write(report + vcek + struct.pack("<II", 48, len(cert)) + bytes(24) + cert)' \
	"$S/test-report.bin" "$S/test-vcek.der" >"$tmp/table"
verdict 0 "" "SNP v2, with a table of certificates" snp "$tmp/table" $milan --at 2025-06-01
verdict 1 "" "a text that is no report" snp "$S/README.md"

# says WORDS WHAT KIND FILE OPTION...: a failed check names the source of the missing piece
says() {
	local want=$1 what=$2
	shift 2
	"$setup" verify "$@" >"$tmp/out" 2>&1
	grep -qF "$want" "$tmp/out" || note "$(cat "$tmp/out")"
	result "$(grep -qF "$want" "$tmp/out"; echo $?)" "$what"
}
kds=https://kdsintf.amd.com pcs=https://api.trustedservices.intel.com
says "no list of ARK-Milan; fetch $kds/vcek/v1/Milan/crl" "where the list of Milan's VCEKs is" snp "$S/test-report.bin" --cert "$S/test-vcek.der"
says "no list of ARK-Milan; fetch $kds/vlek/v1/Milan/crl" "and that of VLEKs" snp "$S/test-vlek-report.bin" --cert "$S/test-vlek.der"
says "fetch $pcs/tdx/certification/v4/tcb?fmspc=" "and a platform's TCB info" tdx "$V/dcap-qvl/tdx_quote"
says "no list of Intel SGX PCK Platform CA; fetch $pcs/sgx/certification/v4/pckcrl?ca=platform&encoding=der" "and the list of its keys" tdx "$V/dcap-qvl/tdx_quote"

D=$V/dcap-qvl T=$V/trustee-tdx G=$V/go-tdx-guest
python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["tcb_info_issuer_chain"])' "$D/tdx_quote_collateral.json" >"$tmp/tcb.pem"
beside="--chain $tmp/tcb.pem --allow no-crl"
verdict 0 "" "TDX v4 with all collateral" tdx "$D/tdx_quote" --collateral "$D/tdx_quote_collateral.json" --at 2025-07-01
verdict 7 "pck-crl tcb-info-date qe-identity-date" "and after its date" tdx "$D/tdx_quote" --collateral "$D/tdx_quote_collateral.json" --at 2025-07-21
verdict 0 "" "and with --allow expired" tdx "$D/tdx_quote" --collateral "$D/tdx_quote_collateral.json" --at 2025-07-21 --allow expired
verdict 7 "tcb" "TDX v4, out of date" tdx "$T/tdx_quote_6.dat" --tcb-info "$T/tcbInfo.json" --qe-identity "$T/enclaveIdentity.json" $beside --at 2025-11-01
verdict 0 "" "and with --allow tcb-out-of-date" tdx "$T/tdx_quote_6.dat" --tcb-info "$T/tcbInfo.json" --qe-identity "$T/enclaveIdentity.json" $beside --allow tcb-out-of-date --at 2025-11-01
verdict 7 "qe-identity-date" "TDX v5, with a stale QE identity" tdx "$G/quote_v5_sample.dat" --tcb-info "$G/sample_tcbinfo_response_v5" --qe-identity "$T/enclaveIdentity.json" $beside --at 2026-02-15
verdict 7 "sept-ve tcb-info-validity tcb qe-identity-validity" "TDX v4, below every level" tdx "$G/tdx_prod_quote_SPR_E4.dat" --tcb-info "$G/sample_tcbInfo_response" --qe-identity "$G/sample_qeIdentity_response" $beside --at 2023-07-01
verdict 7 "debug collateral" "TDX v4, debug" tdx "$T/tdx_quote_4.dat" --allow no-crl --at 2025-06-01
verdict 7 "version tee-type" "a quote of SGX" tdx "$D/sgx_quote"
verdict 7 "collateral" "a quote in a buffer of 8000 bytes" tdx "$G/cos-113-tdx-quote.dat" --allow no-crl --at 2025-06-01

A=$V/trustee-az
nonce=6368616c6c656e6765 # "challenge"
verdict 0 "" "Azure SNP, version 0" azure "$A/snp-evidence-v0.json" $milan --report-data $nonce --at 2025-06-01
python3 -c 'import json, sys; json.dump({"platform": "az-snp-vtpm", "evidence": json.load(open(sys.argv[1]))}, sys.stdout)' "$A/snp-evidence-v0.json" >"$tmp/wrapped"
verdict 0 "" "and in an object that names its platform" azure "$tmp/wrapped" $milan --report-data $nonce --at 2025-06-01
verdict 1 "" "and as evidence of another platform" snp "$tmp/wrapped" $milan --at 2025-06-01
verdict 7 "tpm-report-data" "and for another nonce" azure "$A/snp-evidence-v0.json" $milan --report-data 6368616c6c656e6766 --at 2025-06-01
data=982f5c6e45df0ed3f10b6f60b02f0c8390e281300f3805e2279c16168cd6ae9aa398f647caa2338748cd0fd9f5f819ef
verdict 0 "" "Azure SNP, version 2" azure "$A/snp-evidence-v2.json" $milan --report-data $data --at 2026-06-01
verdict 7 "firmware" "and without --allow tcb-out-of-date: SNP 24" azure "$A/snp-evidence-v2.json" --allow no-crl --report-data $data --at 2026-06-01
verdict 7 "collateral" "Azure TDX, without collateral" azure "$A/tdx-evidence-v1.json" --report-data $nonce --allow no-crl --at 2025-06-01
X=$V/audit-2026-11
if [ -e "$X" ]; then
v0="--collateral $X/00806f050000-2025-06-04.collateral.json --at 2025-06-19T09:35:00Z"
verdict 0 "" "TDX v4, of an SDK" tdx "$X/automata-sdk.quote" $v0
verdict 0 "" "and with an older certificate of the TCB signer first" tdx "$X/automata-sdk.quote" --chain "$X/tcb-signing-2018-2025.pem" $v0
verdict 7 "tcb module-tcb" "Azure TDX, version 0, out of date" azure "$X/trustee-tdx-v0.json" $v0
verdict 0 "" "and with --allow tcb-out-of-date" azure "$X/trustee-tdx-v0.json" $v0 --allow tcb-out-of-date
# Google's certificate of this key; the one made for the test has no usage and no authority key ID
gce="--chain $X/gce/gce-intermediates.pem --ak-root $X/gce/tpm_ek_root_1.cer.pem --ak-usage 2.23.133.8.1 --at 2022-01-01"
ak=$X/gce/gce-cos-85-no-nonce.gce-akcert.pem
verdict 0 "" "a quote of GCE's vTPM over SHA-256" tpm "$X/gotpm-gce-cos-85-no-nonce-sha256.json" --cert "$ak" $gce --allow no-crl
verdict 7 "pcr-bank" "and over the bank of SHA-1" tpm "$X/gotpm-gce-cos-85-no-nonce-sha1.json" --cert "$ak" $gce --allow no-crl
verdict 0 "" "and with --allow sha1" tpm "$X/gotpm-gce-cos-85-no-nonce-sha1.json" --cert "$ak" $gce --allow no-crl,sha1
verdict 7 "pcr-bank ak-chain ak-usage" "and with a certificate that a strict verifier refuses" tpm "$X/gotpm-gce-cos-85-no-nonce-sha1.json" \
	--cert "$X/gotpm-gce-cos-85-no-nonce-sha1.akcert.pem" --root "$X/test-ca.pem" --crl "$X/test-ca.crl" --at 2025-06-01
verdict 7 "ak-chain ak-usage" "which --allow sha1 does not change" tpm "$X/gotpm-gce-cos-85-no-nonce-sha1.json" \
	--cert "$X/gotpm-gce-cos-85-no-nonce-sha1.akcert.pem" --root "$X/test-ca.pem" --crl "$X/test-ca.crl" --at 2025-06-01 --allow sha1
# PCR 10 is extended by IMA, which has a log of its own
for bank in sha1 sha256; do
	against="--expect $X/gotpm-gce-cos-85-no-nonce-$bank.json --cert $ak $gce"
	verdict 0 "" "its log against its quote over $bank" eventlog "$X/gce/gce-cos-85-no-nonce.log" $against --allow no-crl,sha1 --registers 0-9,11-23
	verdict 7 "$bank-10" "and against all of its registers" eventlog "$X/gce/gce-cos-85-no-nonce.log" $against --allow no-crl,sha1
	verdict 1 "" "and against a quote that is refused" eventlog "$X/gce/gce-cos-85-no-nonce.log" $against --registers 0-9,11-23
	verdict 7 "$bank-0 $bank-1 $bank-4 $bank-5 $bank-7 $bank-8 $bank-9 $bank-14" "and another machine's log" \
		eventlog "$V/tpm2-tools/event-gce-ubuntu-2104-log.bin" $against --allow no-crl,sha1 --registers 0-9,11-23
done
verdict 1 "" "its log against the bank of SHA-1, without --allow sha1" eventlog "$X/gce/gce-cos-85-no-nonce.log" --allow no-crl \
	--expect "$X/gotpm-gce-cos-85-no-nonce-sha1.json" --cert "$ak" $gce --registers 0-9,11-23
fi
verdict 1 "" "an HCL report is no evidence" azure "$A/snp-hcl-report.bin"
verdict 7 "ak" "a TPM's quote, with nobody to vouch for the key" tpm "$V/trustee-tpm/tpm_evidence.json"
verdict 7 "report-data ak" "and its nonce is longer" tpm "$V/trustee-tpm/tpm_evidence.json" --report-data a04182b50687

# binding CLASS WHAT OPTION...: the binding of Azure's real evidence, which must be accepted
binding() {
	local want=$1 what=$2 got
	shift 2
	got=$("$setup" verify azure "$A/snp-evidence-v2.json" --allow $old \
		--at 2026-06-01 --json "$@" | python3 -c 'import json, sys; f = json.load(sys.stdin)["facts"]
print(f["binding"], "pcr" in f)')
	if [ "$got" = "$want" ]; then
		result 0 "$what"
	else
		note "found: $got"
		result 1 "$what"
	fi
}

# both samples of Azure have this key in the ID block
key=942fd93ebde6ea7a96efadeafc60f1c6b3d10e703b1dafd7555b92f7f3d32d0e006767648cba5b102af3d65756af4177
binding "none False" "a paravisor that nobody listed binds no TPM"
echo "id-key $key" >"$tmp/paravisors"
binding "paravisor True" "a listed one does" --paravisors "$tmp/paravisors"
echo "measurement $key" >"$tmp/paravisors"
binding "none False" "its key listed as a measurement does not" --paravisors "$tmp/paravisors"
echo "mrtd $key" >"$tmp/paravisors"
binding "none False" "nor as that of a TD" --paravisors "$tmp/paravisors"
echo "id-key ${key%7}8" >"$tmp/paravisors"
binding "none False" "nor does another key" --paravisors "$tmp/paravisors"
verdict 7 "sept-ve tcb module-tcb" "Azure TDX, version 0, with a list that lacks its paravisor" azure "$V/audit-2026-11/trustee-tdx-v0.json" \
	--collateral "$V/audit-2026-11/00806f050000-2025-06-04.collateral.json" --paravisors "$tmp/paravisors" --at 2025-06-19T09:35:00Z

# expected FILE KEY: the values to which a log must replay
expected() {
	python3 -c 'import json, sys; json.dump(json.load(open(sys.argv[1]))[sys.argv[2]], sys.stdout)' "$1" "$2" >"$tmp/expect"
}
for log in arch-linux bootorder gce-ubuntu-2104-log moklisttrusted postcode sd-boot-fedora37 uefi-sha1-log; do
	expected "$V/tpm2-tools/expected_pcrs.json" "event-$log.bin"
	verdict 0 "" "event log: $log" eventlog "$V/tpm2-tools/event-$log.bin" --expect "$tmp/expect"
done
for log in CCEL_data CCEL_data_ovmf CCEL_data_grub CCEL_data_gcp; do
	expected "$V/trustee-eventlog/expected_rtmrs.json" $log
	gzip -dc "$V/trustee-eventlog/$log.gz" >"$tmp/log"
	verdict 0 "" "event log: $log" eventlog "$tmp/log" --expect "$tmp/expect"
	verdict 0 "" "and gzip'ed" eventlog "$V/trustee-eventlog/$log.gz" --expect "$tmp/expect"
done
# a quote and its log: registers 376, 424, 472 and 520 bytes into the quote
rtmrs() {
	python3 -c 'import json, sys; q = open(sys.argv[1], "rb").read(); json.dump({"rtmr%d" % i: q[376 + 48 * i:424 + 48 * i].hex() for i in range(4)}, sys.stdout)' "$1" >"$tmp/expect"
}
rtmrs "$G/cos-113-tdx-quote.dat"
gzip -dc "$G/ccel_data.dat.gz" >"$tmp/log"
verdict 0 "" "a quote and its log" eventlog "$tmp/log" --expect "$tmp/expect"
rtmrs "$T/tdx_quote_4.dat"
gzip -dc "$V/trustee-eventlog/CCEL_data.gz" >"$tmp/log"
verdict 7 "sha384-rtmr0 sha384-rtmr1" "a quote and another's log" eventlog "$tmp/log" --expect "$tmp/expect"
# enclave ID WHAT OPTION...: of a real boot, with all of its logs; registers in $tmp/expect
B=$V/ccdm-boots
enclave() {
	local want=$1 what=$2 got
	shift 2
	got=$("$setup" verify eventlog "$B/A.tcglog" --expect "$tmp/expect" "$@" | sed -n 's/^enclave-id //p; s/^refused$/&/p')
	[ "$got" = "$want" ] || note "found: $got"
	result "$([ "$got" = "$want" ]; echo $?)" "$what"
}
registers() {
	python3 -c 'import json, sys
regs = {}
for line in open(sys.argv[1]):
    bank, i, value = line.split()
    if i in sys.argv[2:] and bank == "sha256":
        regs.setdefault(bank, {})[i] = value.lower()
json.dump(regs, sys.stdout)' "$B/A.pcrs" "$@" >"$tmp/expect"
}
# shellcheck disable=SC2046
if [ -e "$B" ]; then
	id=cf7aca9fd5f555f8a8dbe39db2b8226049405ca1b542b6ea9cb3a4b48984ddf4
	# PCR 10 is extended by IMA, which has a log of its own
	registers $(seq 0 9) $(seq 11 16)
	enclave $id "the enclave ID of a real boot" --ccdm-log "$B/A.ccdmlog" --systemd-log "$B/A.sdlog"
	enclave refused "not without ccdm's log" --systemd-log "$B/A.sdlog"
	enclave refused "nor without systemd's" --ccdm-log "$B/A.ccdmlog"
	sed '$d' "$B/A.ccdmlog" >"$tmp/less"
	enclave refused "nor with less in it" --ccdm-log "$tmp/less" --systemd-log "$B/A.sdlog"
	registers $(seq 0 3)
	enclave "" "nor where the registers of the image are not expected" --ccdm-log "$B/A.ccdmlog" --systemd-log "$B/A.sdlog"
fi
verdict 1 "" "an EV_NO_ACTION that is too short" eventlog "$V/go-attestation/short_no_action_eventlog"
verdict 1 "" "a log that is cut off in its vendor data" eventlog "$V/tpm2-tools/specid-vendordata.bin"
}
finish
