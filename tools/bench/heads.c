#include "bench/heads.h"

#define CHROME                                                                   \
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like " \
    "Gecko) Chrome/126.0.0.0 Safari/537.36"
#define FIREFOX "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
#define SAFARI                                                                      \
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, " \
    "like Gecko) Version/17.5 Safari/605.1.15"
#define IPHONE                                                                     \
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 " \
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"

/* What a shop's pages have in the cookie jar after some visits. */
#define COOKIES                                                                               \
    "session=s%3AkX7w2mQpLr9TzVbN4dYe1HcJu6FgAo0S.q8RtWnE3vBxKz5MiPy7LsDf2GhCj; "             \
    "csrf=3f9c1d7e5b2a4c6d8e0f1a3b5c7d9e2f; theme=dark; lang=de-DE; "                         \
    "_ga=GA1.1.1380457712.1717070093; _ga_7Q2M4N8XKD=GS1.1.1718618210.9.1.1718619077.0.0.0; " \
    "consent=eyJuZWNlc3NhcnkiOnRydWUsInN0YXRpc3RpY3MiOnRydWUsIm1hcmtldGluZyI6ZmFsc2V9; "      \
    "basket=b2f6e2d0-7c1a-4f53-9a8e-5d4c3b2a1908; last_seen=1718619077"

#define HEAD(title, literal)                                       \
    {                                                              \
        .name = (title), .bytes = { literal, sizeof(literal) - 1 } \
    }

const struct bench_head bench_heads[] = {
    HEAD("chrome, first page",
         "GET / HTTP/1.1\r\n"
         "Host: www.shop.example\r\n"
         "Connection: keep-alive\r\n"
         "sec-ch-ua: \"Not/A)Brand\";v=\"8\", \"Chromium\";v=\"126\", \"Google "
         "Chrome\";v=\"126\"\r\n"
         "sec-ch-ua-mobile: ?0\r\n"
         "sec-ch-ua-platform: \"Windows\"\r\n"
         "Upgrade-Insecure-Requests: 1\r\n"
         "User-Agent: " CHROME "\r\n"
         "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
         "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n"
         "Sec-Fetch-Site: none\r\n"
         "Sec-Fetch-Mode: navigate\r\n"
         "Sec-Fetch-User: ?1\r\n"
         "Sec-Fetch-Dest: document\r\n"
         "Accept-Encoding: gzip, deflate, br, zstd\r\n"
         "Accept-Language: en-US,en;q=0.9\r\n"
         "\r\n"),
    HEAD("chrome, page with cookies",
         "GET /products/garden/tools?sort=price&order=asc&page=3&view=grid HTTP/1.1\r\n"
         "Host: www.shop.example\r\n"
         "Connection: keep-alive\r\n"
         "Cache-Control: max-age=0\r\n"
         "sec-ch-ua: \"Not/A)Brand\";v=\"8\", \"Chromium\";v=\"126\", \"Google "
         "Chrome\";v=\"126\"\r\n"
         "sec-ch-ua-mobile: ?0\r\n"
         "sec-ch-ua-platform: \"Windows\"\r\n"
         "Upgrade-Insecure-Requests: 1\r\n"
         "User-Agent: " CHROME "\r\n"
         "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
         "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n"
         "Sec-Fetch-Site: same-origin\r\n"
         "Sec-Fetch-Mode: navigate\r\n"
         "Sec-Fetch-User: ?1\r\n"
         "Sec-Fetch-Dest: document\r\n"
         "Referer: https://www.shop.example/products/garden?page=2\r\n"
         "Accept-Encoding: gzip, deflate, br, zstd\r\n"
         "Accept-Language: de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7\r\n"
         "Cookie: " COOKIES "\r\n"
         "If-None-Match: \"65a1f3c2-1b7e4\"\r\n"
         "If-Modified-Since: Mon, 17 Jun 2024 09:41:22 GMT\r\n"
         "\r\n"),
    HEAD("chrome, image with cookies",
         "GET /media/catalog/2024/06/rake-large-480x480.webp?v=1718371200 HTTP/1.1\r\n"
         "Host: static.shop.example\r\n"
         "Connection: keep-alive\r\n"
         "sec-ch-ua: \"Not/A)Brand\";v=\"8\", \"Chromium\";v=\"126\", \"Google "
         "Chrome\";v=\"126\"\r\n"
         "sec-ch-ua-mobile: ?0\r\n"
         "User-Agent: " CHROME "\r\n"
         "sec-ch-ua-platform: \"Windows\"\r\n"
         "Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8\r\n"
         "Sec-Fetch-Site: same-site\r\n"
         "Sec-Fetch-Mode: no-cors\r\n"
         "Sec-Fetch-Dest: image\r\n"
         "Referer: https://www.shop.example/\r\n"
         "Accept-Encoding: gzip, deflate, br, zstd\r\n"
         "Accept-Language: de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7\r\n"
         "Cookie: " COOKIES "\r\n"
         "\r\n"),
    HEAD("firefox, first page",
         "GET /blog/2024/05/sharpening-a-spade-with-a-file-and-some-patience HTTP/1.1\r\n"
         "Host: www.shop.example\r\n"
         "User-Agent: " FIREFOX "\r\n"
         "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
         "*/*;q=0.8\r\n"
         "Accept-Language: en-GB,en;q=0.5\r\n"
         "Accept-Encoding: gzip, deflate, br, zstd\r\n"
         "DNT: 1\r\n"
         "Connection: keep-alive\r\n"
         "Upgrade-Insecure-Requests: 1\r\n"
         "Sec-Fetch-Dest: document\r\n"
         "Sec-Fetch-Mode: navigate\r\n"
         "Sec-Fetch-Site: cross-site\r\n"
         "Priority: u=1\r\n"
         "\r\n"),
    HEAD("firefox, script's request",
         "POST /api/v2/basket/items HTTP/1.1\r\n"
         "Host: www.shop.example\r\n"
         "User-Agent: " FIREFOX "\r\n"
         "Accept: application/json, text/plain, */*\r\n"
         "Accept-Language: de,en-US;q=0.7,en;q=0.3\r\n"
         "Accept-Encoding: gzip, deflate, br, zstd\r\n"
         "Content-Type: application/json\r\n"
         "X-CSRF-Token: 3f9c1d7e5b2a4c6d8e0f1a3b5c7d9e2f\r\n"
         "X-Requested-With: XMLHttpRequest\r\n"
         "Content-Length: 86\r\n"
         "Origin: https://www.shop.example\r\n"
         "Connection: keep-alive\r\n"
         "Referer: https://www.shop.example/products/garden/tools/rake\r\n"
         "Cookie: " COOKIES "\r\n"
         "Sec-Fetch-Dest: empty\r\n"
         "Sec-Fetch-Mode: cors\r\n"
         "Sec-Fetch-Site: same-origin\r\n"
         "\r\n"),
    HEAD("safari, page with cookies",
         "GET /account/orders?year=2024 HTTP/1.1\r\n"
         "Host: www.shop.example\r\n"
         "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
         "Sec-Fetch-Site: same-origin\r\n"
         "Cookie: " COOKIES "\r\n"
         "Connection: keep-alive\r\n"
         "Sec-Fetch-Mode: navigate\r\n"
         "User-Agent: " SAFARI "\r\n"
         "Referer: https://www.shop.example/account\r\n"
         "Sec-Fetch-Dest: document\r\n"
         "Accept-Language: de-DE,de;q=0.9\r\n"
         "Accept-Encoding: gzip, deflate, br\r\n"
         "\r\n"),
    HEAD("safari on a phone, style sheet",
         "GET /assets/css/main.7d3f9b21c5.css?v=20240614 HTTP/1.1\r\n"
         "Host: static.shop.example\r\n"
         "Accept: text/css,*/*;q=0.1\r\n"
         "Sec-Fetch-Site: same-site\r\n"
         "Accept-Language: en-GB,en;q=0.9\r\n"
         "Cookie: theme=dark; lang=en-GB; last_seen=1718619077\r\n"
         "Sec-Fetch-Mode: no-cors\r\n"
         "Accept-Encoding: gzip, deflate, br\r\n"
         "User-Agent: " IPHONE "\r\n"
         "Referer: https://www.shop.example/\r\n"
         "Connection: keep-alive\r\n"
         "Sec-Fetch-Dest: style\r\n"
         "\r\n"),
};
