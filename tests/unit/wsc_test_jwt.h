
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Tokens for the tests, signed with a secret of theirs; keys and tokens of
 * the RFCs.
 */


#ifndef _WSC_TEST_JWT_H_INCLUDED_
#define _WSC_TEST_JWT_H_INCLUDED_


#include "wsc_jwt.h"


#define TEST_SECRET    "0123456789abcdef0123456789abcdef"
#define TEST_HS256     "{\"alg\":\"HS256\"}"
#define TEST_NOW       1000000


/* RFC 7515 appendix A: the payload of its tokens, and their keys as JWKs. */

#define TEST_PAYLOAD                                                          \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm"  \
    "NvbS9pc19yb290Ijp0cnVlfQ"

#define TEST_OCT_K                                                            \
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcg"  \
    "UuTwjAzZr1Z9CAow"

#define TEST_OCT  "{\"kty\":\"oct\",\"k\":\"" TEST_OCT_K "\"}"

#define TEST_HS_TOKEN                                                         \
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." TEST_PAYLOAD                  \
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

#define TEST_RSA_N                                                            \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4"  \
    "qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2j"  \
    "Z47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7W"  \
    "TBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK"  \
    "-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"

#define TEST_RSA                                                              \
    "{\"kty\":\"RSA\",\"n\":\"" TEST_RSA_N "\",\"e\":\"AQAB\"}"

#define TEST_RS_TOKEN                                                         \
    "eyJhbGciOiJSUzI1NiJ9." TEST_PAYLOAD                                      \
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHI"  \
    "m4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB-"  \
    "-f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383L"  \
    "cOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEU"  \
    "ipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"

#define TEST_EC_X  "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define TEST_EC_Y  "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

#define TEST_EC                                                               \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" TEST_EC_X "\",\"y\":\""      \
    TEST_EC_Y "\"}"

#define TEST_ES_SIGNED  "eyJhbGciOiJFUzI1NiJ9." TEST_PAYLOAD

#define TEST_ES_TOKEN                                                         \
    TEST_ES_SIGNED                                                            \
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQx"  \
    "fKTUJqPP3-Kg6NU1Q"

/* RFC 8037 appendix A */

#define TEST_ED_X  "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

#define TEST_ED                                                               \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" TEST_ED_X "\"}"

#define TEST_ED_TOKEN                                                         \
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"                \
    ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt"  \
    "9g7sVvpAr_MuM0KAg"


/* The digits of octets; to be freed. */
char *test_base64(const void *p, size_t len);

/* A token of these texts, signed by HMAC with a secret; to be freed. */
char *test_sign(const char *header, const char *payload, const char *secret);


#endif /* _WSC_TEST_JWT_H_INCLUDED_ */
