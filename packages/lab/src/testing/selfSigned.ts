/** @file A certificate for localhost that nobody has signed, with its key, valid for a hundred years. For tests of connections only. */

export const selfSigned = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBgDCCASWgAwIBAgIUKTlTEy0dYBlRc1VGR2HLv9mf7EkwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODA5MzIyOFoYDzIxMjYxMTA0
MDkzMjI4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARdDsQEjse2QuCQaviDPTMOSEv3Bb8w9aacHN3Rlw/CLfBlZoSnWcWP
NhxoKYD+9MfcvEiwBKW0kStfNU2WmpK0o1MwUTAdBgNVHQ4EFgQU/sgdpoBQ7rmJ
a0aa5aRe/Sd3WoowHwYDVR0jBBgwFoAU/sgdpoBQ7rmJa0aa5aRe/Sd3WoowDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAjBtdAS4VQ/Fn6V6vOLUW
mw8lAytu25GIv9ygOZ5JclYCIQCoC/Z3RnAoKmAMAqaL9/GT5pdo0sywR0BgEb/Q
bSMesA==
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgie0ESde6aALlAyvg
a3Hu1EEUvGJreO5aqz99BI+MkemhRANCAARdDsQEjse2QuCQaviDPTMOSEv3Bb8w
9aacHN3Rlw/CLfBlZoSnWcWPNhxoKYD+9MfcvEiwBKW0kStfNU2WmpK0
-----END PRIVATE KEY-----`,
};
