// Answers as AWS documents them, and as no service should give them.
#include "expect_failure.hpp"
#include "s3/answers.hpp"
#include "s3/retry.hpp"

#include <gtest/gtest.h>

namespace jobrunner::s3 {

namespace {

TEST(answers, a_page_of_a_list_is_read) {
  const auto page = parse_listing(R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>quotes</Name><Prefix>E</Prefix><MaxKeys>3</MaxKeys><IsTruncated>true</IsTruncated>
  <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
  <Contents><Key>Example&amp;&#x1F600;.txt</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>
    <ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size><StorageClass>STANDARD</StorageClass></Contents>
  <Contents><Key>E/</Key><ETag>"d41d8cd98f00b204e9800998ecf8427e"</ETag><Size>0</Size></Contents>
</ListBucketResult>)");
  ASSERT_EQ(page.objects.size(), 2U);
  EXPECT_EQ(page.objects[0].key, "Example&\U0001F600.txt");
  EXPECT_EQ(page.objects[0].size, 434234U);
  EXPECT_EQ(page.objects[0].etag, "\"fba9dede5f27731c9771645a39863328\"");
  EXPECT_EQ(page.next, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=");
}

TEST(answers, the_last_page_has_no_next) {
  const auto page =
      parse_listing("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
  EXPECT_TRUE(page.objects.empty());
  EXPECT_EQ(page.next, "");
}

TEST(answers, what_is_no_list_is_an_error_that_may_pass) {
  for (const auto* bad :
       {"", "x", "<html>", "<a/>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>99999999999999999999</Size></Contents></"
        "ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><ListBucketResult>&a;</ListBucketResult>",
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><ListBucketResult/>",
        "<ListBucketResult>\xff</ListBucketResult>"})
    EXPECT_FALSE(refusal([&] { parse_listing(bad); }, errc::unavailable).empty()) << bad;
  std::string deep;
  for (int i = 0; i < 100000; ++i)
    deep += "<a>";
  refusal([&] { parse_listing(deep); }, errc::unavailable);
}

TEST(answers, an_upload_has_an_id_and_an_end) {
  EXPECT_EQ(parse_upload_id("<InitiateMultipartUploadResult><UploadId>a-b</UploadId></"
                            "InitiateMultipartUploadResult>"),
            "a-b");
  EXPECT_EQ(
      parse_completed(
          "<CompleteMultipartUploadResult><ETag>\"x-2\"</ETag></CompleteMultipartUploadResult>"),
      "\"x-2\"");
  refusal([] { parse_upload_id("<InitiateMultipartUploadResult/>"); }, errc::unavailable);
  // CompleteMultipartUpload answers 200 before it knows.
  const auto why = refusal([] { parse_completed("<Error><Code>InternalError</Code></Error>"); },
                           errc::unavailable);
  EXPECT_TRUE(says(why, "InternalError")) << why;
}

// After the example of AWS's description of ListMultipartUploads.
TEST(answers, uploads_that_are_open_have_a_key_an_id_and_a_time) {
  const auto all = parse_uploads(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
      "<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Bucket>bucket</Bucket><KeyMarker></KeyMarker><NextUploadIdMarker>YW55</NextUploadIdMarker>"
      "<MaxUploads>3</MaxUploads><IsTruncated>true</IsTruncated>"
      "<Upload><Key>my-divisor</Key><UploadId>XMgbGlrZSBl</UploadId><Initiator><ID>i</ID>"
      "</Initiator><StorageClass>STANDARD</StorageClass>"
      "<Initiated>2010-11-10T20:48:33.000Z</Initiated></Upload></ListMultipartUploadsResult>");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].key + " " + all[0].id, "my-divisor XMgbGlrZSBl");
  EXPECT_EQ(to_rfc3339(all[0].initiated), "2010-11-10T20:48:33.000Z");
  EXPECT_TRUE(parse_uploads("<ListMultipartUploadsResult/>").empty());
  refusal([] { parse_uploads("<Upload/>"); }, errc::unavailable);
  refusal(
      [] {
        parse_uploads("<ListMultipartUploadsResult><Upload><Key>k</Key><UploadId>i"
                      "</UploadId></Upload></ListMultipartUploadsResult>");
      },
      errc::unavailable);
}

TEST(answers, a_head_needs_a_length) {
  curl::response answer{200, {{"content-length", "5"}, {"etag", "\"a\""}}, ""};
  EXPECT_EQ(parse_head("k", answer).size, 5U);
  EXPECT_FALSE(parse_head("k", answer).encrypted);
  answer.headers["x-amz-server-side-encryption"] = "aws:kms";
  EXPECT_TRUE(parse_head("k", answer).encrypted);
  answer.headers["x-amz-server-side-encryption"] = "AES256"; // leaves the ETag an MD5
  EXPECT_FALSE(parse_head("k", answer).encrypted);
  answer.headers["content-length"] = "-5";
  refusal([&] { parse_head("k", answer); }, errc::unavailable);
}

TEST(answers, an_etag_is_an_md5_only_if_it_looks_like_one) {
  EXPECT_EQ(md5_of_etag("\"fba9dede5f27731c9771645a39863328\""),
            "fba9dede5f27731c9771645a39863328");
  EXPECT_EQ(md5_of_etag("\"fba9dede5f27731c9771645a39863328-2\""), "");
  EXPECT_EQ(md5_of_etag("W/\"fba9dede5f27731c9771645a39863328\""), "");
  EXPECT_EQ(md5_of_etag(""), "");
}

errc refused_as(int status, const std::string& body = "") {
  try {
    refuse({status, {}, body}, "read it");
  } catch (const failure& f) {
    return f.code();
  }
}

TEST(answers, an_error_is_what_it_means_for_the_transfer) {
  for (const int passing : {408, 429, 500, 502, 503, 504})
    EXPECT_EQ(refused_as(passing), errc::unavailable) << passing;
  EXPECT_EQ(refused_as(400, "<Error><Code>RequestTimeout</Code></Error>"), errc::unavailable);
  EXPECT_EQ(refused_as(412), errc::conflict);
  EXPECT_EQ(refused_as(416), errc::conflict);
  EXPECT_EQ(refused_as(404), errc::not_found);
  EXPECT_EQ(refused_as(403), errc::forbidden);
  EXPECT_EQ(refused_as(301), errc::invalid);
  EXPECT_EQ(refused_as(400), errc::invalid);
}

TEST(answers, of_an_error_only_its_code_is_shown) {
  const auto why = refusal(
      [] {
        refuse({403,
                {},
                "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIA</AWSAccessKeyId></"
                "Error>"},
               "read it");
      },
      errc::forbidden);
  EXPECT_TRUE(says(why, "SignatureDoesNotMatch")) << why;
  EXPECT_FALSE(says(why, "AKIA")) << why;
  const auto odd = refusal(
      [] {
        refuse({403, {}, "<Error><Code>s3cret\n</Code></Error>"}, "read it");
      },
      errc::forbidden);
  EXPECT_FALSE(says(odd, "s3cret")) << odd;
}

TEST(answers, a_pause_that_is_asked_for_is_bounded) {
  try {
    refuse({503, {{"retry-after", "7"}}, ""}, "x");
  } catch (const slow_down& s) {
    EXPECT_EQ(s.pause(), std::chrono::seconds{7});
  }
  try {
    refuse({503, {{"retry-after", "99999999"}}, ""}, "x");
  } catch (const slow_down& s) {
    EXPECT_EQ(s.pause(), std::chrono::seconds{60});
  }
}

} // namespace

} // namespace jobrunner::s3
