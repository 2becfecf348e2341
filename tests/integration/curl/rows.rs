//! The tables of hostile and of harmless command lines, for `hostile.rs`. `$A`, `$a` and `$p` are the server's URL, host
//! with port, and port; `$E`, `$e` and `$q` those of a stranger. rustfmt would give each row a line of its own.

/// Addresses that belong to no profile, or that parsers disagree about.
#[rustfmt::skip]
pub(super) const FOREIGN: &[&str] = &[
    // Another server, plainly, and in forms that curl would repair.
    "$E", "$E/", "$E/api/projects/", "$e", "$e/", "//$e/", "///$e/", "http:/$e/", "http:$e/", "http:///$e/",
    "http:\\\\$e\\", "http:/\\$e/", "HTTP://$e/", "hTtP://$e", "https://$e/", "http://$e:80/", "http://$e?", "http://$e#",
    "http://$e/$A/", "http://$e?$A/", "http://$e#$A/", "http://$e/#@$a/", "http://$e#@$a/", "http://$e?@$a/",
    "http://$e/@$a/", "http://$e\\@$a/", "http://$e\\.$a/", "\\$e", "\\\\$e\\x", "/\\$e/", "/\\\\$e/", "\\/$e/",
    // Other schemes.
    "ftp://$e/", "ftps://$a/", "file:///etc/hostname", "file://$a/etc/hostname", "file:/etc/hostname", "gopher://$e/_x",
    "dict://$e/d:x", "telnet://$e", "ldap://$e/", "smb://$e/x", "imap://$e/", "pop3://$e/", "rtsp://$e/", "mqtt://$e/x",
    "tftp://$e/x", "scp://$e/x", "sftp://$e/x", "ws://$a/", "wss://$a/", "ipfs://x", "data:text/plain,x", "javascript:x",
    "httpx://$a/", "://$a/", ":$a/", "http//$a/", "https://$a/api/projects/",
    // User info.
    "http://$a@$e/", "http://$a:80@$e/", "http://user@$a/", "http://user:pw@$a/", "http://@$a/", "http://:@$a/",
    "http://user@$e@$a/", "http://$a%40$e/", "http://$a%2f@$e/", "http://$a%23@$e/", "http://$a\\@$e/", "http://$a;@$e/",
    "http://$a,@$e/", "http://$a&@$e/", "http://$a=@$e/", "http://$a!@$e/", "http://$a'@$e/", "http://$a\"@$e/",
    "http://$a|@$e/", "http://$a @$e/", "http://$a\t@$e/", "http://$a\n@$e/", "http://$a\r\n@$e/", "http://$a\u{7f}@$e/",
    "http://[$a]@$e/", "http://{$a}@$e/",
    // Hosts that only begin or end like the server's.
    "http://127.0.0.1.evil.example:$p/", "http://$a.evil.example/", "http://$a.$e/", "http://127.0.0.1evil:$p/",
    "http://evil127.0.0.1:$p/", "http://evil.127.0.0.1:$p/", "http://127.0.0.1-evil:$p/", "http://127.0.0.1_:$p/",
    "http://127.0.0.1.:$p/", "http://.127.0.0.1:$p/", "http://127.0.0.1..:$p/", "http://127.0.0.1,evil:$p/",
    "http://127.0.0.1;evil:$p/", "http://127.0.0.1*:$p/", "http://127.0.0.1$:$p/",
    // Other hosts that are the same machine, and other spellings of the same host.
    "http://127.0.0.2:$p/", "http://localhost:$p/", "http://LocalHost:$p/", "http://localhost.:$p/", "http://0.0.0.0:$p/",
    "http://0:$p/", "http://127.1:$p/", "http://127.0.1:$p/", "http://2130706433:$p/", "http://0x7f000001:$p/",
    "http://0x7f.0.0.1:$p/", "http://0177.0.0.1:$p/", "http://0177.0.0.01:$p/", "http://127.0.0.01:$p/",
    "http://127.0.0.1.0:$p/", "http://127.0.0.256:$p/", "http://127.0.0.0x1:$p/", "http://[::1]:$p/", "http://[::]:$p/",
    "http://[::ffff:127.0.0.1]:$p/", "http://[::ffff:7f00:1]:$p/", "http://[::127.0.0.1]:$p/", "http://[::1%25lo]:$p/",
    "http://[::1%lo]:$p/", "http://[fe80::1%25eth0]:$p/", "http://[127.0.0.1]:$p/", "http://[$a]/", "http://[]:$p/",
    "http://[::1:$p/", "http://::1]:$p/", "http://::1:$p/", "http://[v1.x]:$p/", "http://[::1]x:$p/", "http://[::1][::1]:$p/",
    // Ports.
    "http://127.0.0.1/", "http://127.0.0.1:/", "http://127.0.0.1:0/", "http://127.0.0.1:$q/", "http://127.0.0.1:$p$q/",
    "http://127.0.0.1:$p:$q/", "http://127.0.0.1:$p:/", "http://127.0.0.1::$p/", "http://127.0.0.1:+$p/",
    "http://127.0.0.1:-$p/", "http://127.0.0.1: $p/", "http://127.0.0.1:$p /", "http://127.0.0.1:0x50/",
    "http://127.0.0.1:$p%20/", "http://127.0.0.1:$p%00/", "http://127.0.0.1:$p.0/", "http://127.0.0.1:65536/",
    "http://127.0.0.1:99999999999999999999/", "http://127.0.0.1:http/", "http://127.0.0.1%3A$p/",
    // Percent signs and Unicode in the host.
    "http://%31%32%37.0.0.1:$p/", "http://127.0.0.1%2eevil:$p/", "http://127%2e0%2e0%2e1:$p/", "http://%6cocalhost:$p/",
    "http://１２７.0.0.1:$p/", "http://127。0。0。1:$p/", "http://ⓛocalhost:$p/", "http://ｌocalhost:$p/",
    "http://127.0.0.1\u{200b}:$p/", "http://\u{202e}127.0.0.1:$p/", "http://\u{feff}127.0.0.1:$p/", "http://$a\u{2044}@$e/",
    "http://$a\u{ff0f}x@$e/", "http://$a\u{ff20}$e/", "http://127.0.0.1\u{ad}:$p/", "http：//$a/", "http:／／$a/",
    "ｈttp://$a/", "\u{feff}$A/", "\u{a0}$A/", "\u{200b}/api/", "–s", "—url", "http://bücher.example/",
    // Globs before the end of the host.
    "http://{$a,$e}/", "{$A,$E}/", "http://127.0.0.{1,2}:$q/", "http://127.0.0.[1-2]:$p/", "http://[1-2].0.0.1:$p/",
    "http://127.0.0.1:{$p,$q}/", "http://127.0.0.1:[1-2]/", "http://$a{/x,@$e/y}", "http://$a{,@$e}/", "http://$a[1-2]/",
    "http://$a{.evil,}/", "{http,ftp}://$a/", "h{t,x}tp://$a/", "[h-h]ttp://$a/", "{$A/x,$E/y}", "[$A]", "{/x,$E/}",
    // No address at all.
    "", " ", "\t", ".", "..", "../..", "./x", "api/projects/", "~/x", "?x", "#x", "?/api", "*", "http", "http:", "http:/",
    "http://", "http:///", "http://?", "http://#", "http:// /", "http://:80/", "http://./", "http://../", "@-", "@urls",
    "@/etc/hostname", "@$E/", "=$E/", "$",
    // What would begin a second line.
    "/a\nb", "/a\r\nHost: $e", "/a\tb", "/a b", "/\u{7f}", "/\u{85}", "/ ", " /", "/a\r\n\r\nGET $E/ HTTP/1.1\r\n\r\n", " $A/",
    "$A/ ", "\n$A/", "$A/\n", "$A/x\r\nX: y", "/..\\..\\", "/a\\b", "$A/\\@$e/", "$A\\@$e/", "$A/x\\..\\y",
];

/// Command lines of several words that must not start curl.
#[rustfmt::skip]
pub(super) const REFUSED: &[&str] = &[
    // Another address beside a good one.
    "$A/x $E/", "$E/ $A/x", "$A/x --url $E/", "$A/x --url=$E/", "--url $E/", "--url=$E/", "-- $E/", "-s -- $A/x $E/",
    "$A/x --next $E/", "$A/x -: $E/", "$A/x --next --url $E/", "$A/x --next", "$A/x -:", "--next $A/x", "-: $A/x", "--next",
    "-s $A/x --next -o f", "-- -s $A/x", "-- --next $A/x", "-- --url $E/", "-o f $E/ -o g $A/x", "-T- $E/ $A/x", "-G -d x $E/",
    // What curl's versions read differently.
    "-s:o $E/ $A/x", "-:o $E/ $A/x", "-2o $E/ $A/x", "-3d $E/ $A/x", "-hx $E/ $A/x", "-2s $A/x", "--loc $A/x", "--locat $A/x",
    "--LOCATION $A/x", "--URL $E/", "--ur $E/", "--location-t $A/x", "--Location-Trusted $A/x", "--ne $E/", "--prox $E/ $A/x",
    "--conf f $A/x", "--conn ::$e $A/x", "--silent=1 $A/x", "--next=x $A/x", "--location=$E/ $A/x", "-*x $A/x", "'-$' x $A/x",
    "---url $E/", "- $E/", "-s-S $A/x", "'-s S' $A/x", "-sé $A/x", "--no-output x $A/x", "--no-no-silent $A/x", "--no-next $A/x",
    "--no-url $E/ $A/x", "--no-config f $A/x", "--url", "-o", "-so", "--output", "-s", "-sS -L",
    // Options that curl has from a file, from its variables, or from another server.
    "-K f $A/x", "-Kf $A/x", "-sK f $A/x", "-K- $A/x", "--config f $A/x", "--config=f $A/x", "--config /dev/stdin $A/x",
    "$A/x -K f", "--variable X=$E $A/x", "--variable %HOME $A/x", "--variable X@f $A/x", "--expand-url {{X}}",
    "--expand-url=$E/", "--expand-header {{X}} $A/x", "--expand-data {{X}} $A/x", "--expand-silent $A/x", "--expand-nonsense x $A/x",
    // The way of the request.
    "-x $E $A/x", "-x$E $A/x", "-sx $E $A/x", "-x '' $A/x", "--proxy $E $A/x", "--proxy=$E $A/x", "--preproxy socks5://$e $A/x",
    "--proxy1.0 $e $A/x", "--socks4 $e $A/x", "--socks4a $e $A/x", "--socks5 $e $A/x", "--socks5-hostname $e $A/x",
    "-p $A/x", "--proxytunnel $A/x", "--proxy-header 'X: y' $A/x", "--noproxy '' $A/x", "--noproxy=x $A/x",
    "--connect-to ::$e $A/x", "--connect-to=::$e $A/x", "--resolve $a:127.0.0.2 $A/x", "--resolve '*:$p:127.0.0.2' $A/x",
    "--unix-socket f $A/x", "--abstract-unix-socket f $A/x", "--doh-url $E/ $A/x", "--doh-insecure $A/x",
    "--dns-servers 127.0.0.2 $A/x", "--dns-ipv4-addr 127.0.0.1 $A/x", "--dns-interface lo $A/x", "--request-target $E/ $A/x",
    "--request-target=@f $A/x", "--proto-default ftp $A/x", "--ipfs-gateway $E/ $A/x", "--alt-svc f $A/x", "--hsts f $A/x",
    "--haproxy-clientip 1.2.3.4 $A/x", "--metalink $A/x",
    // Who sees the token.
    "--location-trusted $A/x", "-L --location-trusted $A/x", "-k $A/x", "-sk $A/x", "-kL $A/x", "--insecure $A/x", "-vk $A/x",
    "--libcurl - $A/x", "--libcurl=f $A/x", "-v --libcurl f $A/x", "--trace 'a\nb' $A/x", "--stderr 'a\tb' $A/x",
    "-X TRACE $A/x", "-XTRACE $A/x", "-X trace $A/x", "-sX Trace $A/x", "--request TRACE $A/x", "--request=trace $A/x", "-X TRACK $A/x",
    "-X GET -X TRACE $A/x", "$A/x --next -X TRACE $A/y", "-vX TRACE $A/x",
    // Who is taken for the server, and what others can read.
    "--cacert f $A/x", "--cacert=f $A/x", "--capath / $A/x", "--capath=/ $A/x", "--ca-native $A/x", "-L --cacert f $A/x",
    "$A/x --next --cacert f $A/y", "--ssl-sessions f $A/x", "--tls-earlydata $A/x", "--ciphers NULL $A/x", "--ciphers=aNULL $A/x",
    "--tls13-ciphers x $A/x", "--tls-max 1.0 $A/x", "--tls-max=1.1 $A/x", "--tlsv1.0 $A/x", "-1 $A/x", "-2 $A/x", "-3 $A/x",
    "--engine dynamic $A/x", "--ech grease $A/x", "--haproxy-protocol $A/x",
    // Another way to log in.
    "-u a:b $A/x", "-ua:b $A/x", "-su a:b $A/x", "--user=a:b $A/x", "--oauth2-bearer x $A/x", "-n $A/x", "-sn $A/x",
    "--netrc $A/x", "--netrc-file f $A/x", "--netrc-optional $A/x", "--anyauth $A/x", "--basic $A/x", "--digest $A/x",
    "--negotiate $A/x", "--ntlm $A/x", "--ntlm-wb $A/x", "--aws-sigv4 aws:amz $A/x", "--delegation always $A/x",
    // Headers.
    "-H 'Authorization: Bearer x' $A/x", "-H 'authorization: x' $A/x", "-H 'AUTHORIZATION : x' $A/x", "-H 'Authorization;' $A/x",
    "-H 'Authorization:' $A/x", "-HAuthorization:x $A/x", "-sH 'Authorization: x' $A/x", "--header 'Authorization: x' $A/x",
    "--header=Authorization:x $A/x", "-H 'Authorization\t: x' $A/x", "-H 'X-Api-Key: x' $A/x", "-H 'x-api-key;' $A/x",
    "-H 'Host: $e' $A/x", "-H 'host : $e' $A/x", "-H 'Host;' $A/x", "-H 'Host:' $A/x", "-H @f $A/x", "-H @- $A/x", "-H@f $A/x",
    "-H ' folded: x' $A/x", "-H '\tfolded: x' $A/x", "-H 'X: y\r\nAuthorization: z' $A/x", "-H 'X: y\nHost: $e' $A/x",
    "-H 'X: y\r\n\r\nGET $E/ HTTP/1.1\r\nY: z' $A/x",
    // Values that would begin a second request.
    "-A 'x\r\n\r\nGET $E/ HTTP/1.1\r\nX: y' $A/x", "-e 'x\r\nY: z' $A/x", "-b 'a=b\nY: z' $A/x", "-r '0-1\r\nY: z' $A/x",
    "-X 'GET $E/ HTTP/1.1\r\nX:' $A/x", "-X 'GET $E/' $A/x", "-X 'GET ' $A/x", "-X 'G\tET' $A/x", "-X$E/ $A/x", "--request=/ $A/x",
    "--cookie 'a=b\u{7f}' $A/x", "-z 'x\ny' $A/x", "-o 'a\nb' $A/x",
    // One part's pipe read by another.
    "-d @/dev/fd/11 $A/x --next $A/y", "-w @/dev/fd/11 $A/x --next $A/y", "-F a=@/dev/fd/11 $A/x --next $A/y",
    "-T /dev/fd/11 $A/x --next $A/y", "-b /proc/self/fd/11 $A/x --next $A/y", "--json @/proc/thread-self/fd/10 $A/x --next $A/y",
    "$A/x --next --data-urlencode a@/dev/fd/10 $A/y", "--data-binary=@/dev/fd/11 $A/x -: $A/y", "-d @/dev//fd/11 $A/x -: $A/y",
];

/// Command lines that reach the server, and the targets that it is asked for.
#[rustfmt::skip]
pub(super) const HARMLESS: &[(&str, &[&str])] = &[
    ("/", &["/"]), ("$A", &["/"]), ("$A/", &["/"]), ("$A?x=1", &["/?x=1"]), ("$A#x", &["/"]), ("$A/#@$e/", &["/"]),
    ("$A?@$e/", &["/?@$e/"]), ("/@$e/", &["/@$e/"]), ("/x@$e", &["/x@$e"]), ("/:@$e/", &["/:@$e/"]), ("/;@$e/", &["/;@$e/"]),
    ("/$E/", &["/$E/"]), ("/?url=$E/", &["/?url=$E/"]), ("'/?a=b&url=$E/#@$e'", &["/?a=b&url=$E/"]), ("HTTP://$a/x", &["/x"]),
    ("hTTp://$a", &["/"]), ("/../../x", &["/x"]), ("/a/../b", &["/b"]), ("/a/./b", &["/a/b"]), ("/a/..", &["/"]), ("/%2e%2e/x", &["/x"]),
    ("/%2E./x", &["/x"]), ("/..;/x", &["/..;/x"]), ("/..%2Fx", &["/..%2Fx"]), ("/%2F%2F$e/x", &["/%2F%2F$e/x"]),
    ("/%5C%5C$e/x", &["/%5C%5C$e/x"]), ("/%0D%0AX:y", &["/%0D%0AX:y"]), ("/%00", &["/%00"]), ("/a//b", &["/a//b"]),
    ("$A//$e/x", &["//$e/x"]), ("/%C3%A9", &["/%C3%A9"]), ("/x?a=%20b", &["/x?a=%20b"]), ("\"/x?a='b'\"", &["/x?a='b'"]),
    ("'/x?a=\\$e'", &["/x?a=\\$e"]), ("/x?a=%0D%0A", &["/x?a=%0D%0A"]),
    // Globs behind the host.
    ("'/{a,b}'", &["/a", "/b"]), ("'/[1-3]'", &["/1", "/2", "/3"]), ("'/x[1-5:2]'", &["/x1", "/x3", "/x5"]), ("'/[a-c]'", &["/a", "/b", "/c"]),
    ("'/{x,@$e/y}'", &["/x", "/@$e/y"]), ("'/{..,b}/c'", &["/c", "/b/c"]), ("'/{%41,b}/c'", &["/%41/c", "/b/c"]),
    ("'/?q={a,b}'", &["/?q=a", "/?q=b"]), ("'$A/{http://$e,x}'", &["/http://$e", "/x"]), ("-g '/[1-3]'", &["/[1-3]"]), ("-g '/{a,b}'", &["/{a,b}"]),
    // Options that only look dangerous.
    ("--url /x", &["/x"]), ("--url=/x", &["/x"]), ("-- /x", &["/x"]), ("-s -- /x /y", &["/x", "/y"]), ("--path-as-is /a/../b", &["/b"]),
    ("--path-as-is /%2e%2e/b", &["/b"]), ("-G -d a=b /x", &["/x?a=b"]), ("-G -d url=$E /x", &["/x?url=$E"]), ("--data-raw @$e /x", &["/x"]),
    ("-L /x", &["/x"]), ("--no-location-trusted /x", &["/x"]), ("--no-verbose /x", &["/x"]), ("--no-insecure /x", &["/x"]), ("-e $E /x", &["/x"]),
    ("-A $E /x", &["/x"]), ("-b a=$e /x", &["/x"]), ("-H 'X-Forwarded-Host: $e' /x", &["/x"]), ("-H Accept: /x", &["/x"]), ("-H 'X-Empty;' /x", &["/x"]),
    ("-H ':authority: $e' /x", &["/x"]), ("-H 'Host\u{a0}: $e' /x", &["/x"]), ("-X PATCH /x", &["/x"]), ("-o --next /x", &["/x"]), ("-A --next /x", &["/x"]),
    ("-e -K /x", &["/x"]), ("-A --url /x", &["/x"]), ("-b --config /x", &["/x"]), ("-A=$E /x", &["/x"]), ("--data-urlencode a=$E/ /x", &["/x"]),
    ("-F a=$E/ /x", &["/x"]), ("--proto =http /x", &["/x"]), ("--interface 127.0.0.1 /x", &["/x"]), ("--interface lo /x", &["/x"]),
    ("--stderr - /x", &["/x"]), ("-c jar /x", &["/x"]), ("-w $E /x", &["/x"]), ("--ftp-port $e /x", &["/x"]), ("-Q $E /x", &["/x"]),
    ("--mail-from $e /x", &["/x"]), ("--login-options $e /x", &["/x"]), ("-U a:b /x", &["/x"]), ("--proxy-user a:b /x", &["/x"]),
    ("--tls-max 1.2 /x", &["/x"]), ("--tlsv1.2 /x", &["/x"]), ("--curves P-256 /x", &["/x"]), ("-A --cacert /x", &["/x"]), ("-X TRACER /x", &["/x"]),
    ("-q /x", &["/x"]), ("/x -q", &["/x"]), ("--disable /x", &["/x"]), ("-qs /x", &["/x"]),
    // Parts.
    ("/x --next /y", &["/x", "/y"]), ("/x -: /y", &["/x", "/y"]), ("-A --next /x --next -A -: /y", &["/x", "/y"]), ("/x -d @/etc/hostname --next /y", &["/x", "/y"]),
];
