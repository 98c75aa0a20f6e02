#include "classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "critical_log.h"
#include "model_server.h"

namespace gkv {
namespace {

using namespace std::chrono_literals;
using test::ModelServer;
using test::Reply;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto kHang = 20s;

class TextPicture : public Picture {
 public:
  explicit TextPicture(std::string text) : text_(std::move(text)) {}

  std::span<const std::byte> jpeg() override {
    if (text_.empty()) throw Failure("A frame could not be encoded.", "no pixels");
    return std::as_bytes(std::span(text_));
  }
  std::uint64_t captured_ns() const override { return 42; }

 private:
  std::string text_;
};

std::shared_ptr<Picture> picture(const std::string& text) { return std::make_shared<TextPicture>(text); }

/// What a classifier told, in order.
class Told {
 public:
  ClassifierListener listener() {
    return {
        .on_result = [this](const std::string& source,
                            const Classification& result) { add(source + " " + result.model + "=" + *result.label); },
        .on_outage = [this](const Failure& failure) { add("outage: " + text(failure)); },
        .on_notice = [this](const Failure& failure) { add("notice: " + text(failure)); }};
  }

  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kHang, [&] { return told_.size() >= count; });
    return told_;
  }

 private:
  static std::string text(const Failure& failure) { return std::string(failure.what()) + " | " + failure.detail(); }
  void add(std::string text) {
    {
      const std::lock_guard lock(mutex_);
      told_.push_back(std::move(text));
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> told_;
};

/// The picture is the number of the class.
Reply class_in(const std::string& picture) { return test::prediction(std::stoi(picture), 4); }
Reply answer(const std::string&, const std::string& picture) { return class_in(picture); }
Reply held_answer(const std::string&, const std::string& picture) {
  Reply reply = class_in(picture);
  reply.held = true;
  return reply;
}

Model model(const ModelServer& server, const std::string& name) {
  return {.target = {.name = name, .url = server.predict_url(name), .version = "7"}, .labels = {"a", "b", "c"}};
}

TEST(Async, ResultBelongsToLaterFramesOfItsSource) {
  Told told;
  ModelServer server(answer);
  Classifier classifier({model(server, "m")}, kHang, told.listener());
  EXPECT_EQ(classifier.offer("cam", picture("2"))->at(0), (Classification{.model = "m", .version = "7"}));
  EXPECT_THAT(told.wait_for(1), ElementsAre("cam m=b"));
  const Classification result = classifier.offer("cam", picture("2"))->at(0);
  EXPECT_EQ(result.label, "b");
  EXPECT_EQ(result.class_id, 2);
  EXPECT_DOUBLE_EQ(result.confidence, 0.9);
  EXPECT_EQ(result.version, "7");
  EXPECT_EQ(result.captured_ns, 42U);
  EXPECT_GT(result.took_ns, 0U);
  EXPECT_EQ(classifier.offer("other", picture("1"))->at(0).label, std::nullopt);
}

TEST(Async, IdleModelTakesTheNewestFrameOfTheSourceThatWaitedLongest) {
  Told told;
  ModelServer server(held_answer);
  Classifier classifier({model(server, "m")}, kHang, told.listener());
  classifier.offer("a", picture("1"));
  ASSERT_TRUE(server.wait_for_requests(1));
  classifier.offer("b", picture("1"));
  for (const char* text : {"1", "2", "3"}) classifier.offer("a", picture(text));
  classifier.offer("b", picture("2"));
  for (std::size_t i = 2; i <= 3; ++i) {
    server.release();
    ASSERT_TRUE(server.wait_for_requests(i));
  }
  server.release();
  EXPECT_THAT(told.wait_for(3), ElementsAre("a m=a", "b m=b", "a m=c"));
  EXPECT_EQ(server.bodies().size(), 3U);
}

TEST(Async, SlowModelDoesNotHoldUpAnother) {
  Told told;
  ModelServer slow(held_answer);
  ModelServer fast(answer);
  Classifier classifier({model(slow, "slow"), model(fast, "fast")}, kHang, told.listener());
  classifier.offer("a", picture("1"));
  ASSERT_TRUE(slow.wait_for_requests(1));
  told.wait_for(1);
  classifier.offer("a", picture("3"));
  EXPECT_THAT(told.wait_for(2), ElementsAre("a fast=a", "a fast=c"));
  const Results results = classifier.offer("a", picture("3"));
  EXPECT_EQ(results->at(0).label, std::nullopt);
  EXPECT_EQ(results->at(1).label, "c");
}

TEST(Async, OutageIsToldOnceAndEndsByItself) {
  Told told;
  ModelServer server(answer);
  server.stop();
  Classifier classifier({model(server, "m")}, kHang, told.listener());
  classifier.offer("a", picture("1"));
  EXPECT_THAT(told.wait_for(1), ElementsAre(testing::AllOf(HasSubstr("outage: "), HasSubstr("model-urls"),
                                                           HasSubstr(server.predict_url("m")), HasSubstr("refused"))));
  for (int i = 0; i < 200; ++i) classifier.offer("a", picture("2"));
  server.start();
  // Nothing more is offered: the frame that waits is asked about when the model has rested.
  const auto all = told.wait_for(3);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_THAT(all[1], HasSubstr("answers again"));
  EXPECT_EQ(all[2], "a m=b");
}

TEST(Async, RefusalSaysWhatTheServerSaid) {
  Told told;
  ModelServer server([](const std::string&, const std::string&) {
    return Reply{.status = 404, .body = R"-({"error":"Servable not found for request: Latest(m)"})-"};
  });
  Classifier classifier({model(server, "m")}, kHang, told.listener());
  classifier.offer("a", picture("1"));
  EXPECT_THAT(told.wait_for(1).at(0), HasSubstr("404 Not Found: Servable not found for request: Latest(m)"));
}

TEST(Async, AnotherCauseIsTold) {
  Told told;
  ModelServer server([](const std::string&, const std::string&) {
    return Reply{.status = 404, .body = "<HTML>", .content_type = "text/html"};
  });
  server.stop();
  Classifier classifier({model(server, "m")}, kHang, told.listener());
  classifier.offer("a", picture("1"));
  told.wait_for(1);
  server.start();
  classifier.offer("a", picture("1"));
  EXPECT_THAT(told.wait_for(2).at(1), testing::AllOf(HasSubstr("notice: "), HasSubstr("404 Not Found")));
}

TEST(Async, FrameThatCannotBeEncodedIsTold) {
  Told told;
  ModelServer server(answer);
  Classifier classifier({model(server, "m")}, kHang, told.listener());
  classifier.offer("a", picture(""));
  EXPECT_THAT(told.wait_for(1).at(0), HasSubstr("no pixels"));
  classifier.offer("a", picture("1"));
  EXPECT_EQ(told.wait_for(3).at(2), "a m=a");
}

TEST(Async, ManySourcesAreBounded) {
  Told told;
  ModelServer server(held_answer);
  Classifier classifier({model(server, "m")}, kHang, told.listener());
  std::vector<std::weak_ptr<Picture>> pictures;
  for (std::size_t i = 0; i < Classifier::kMaxSources + 500; ++i) {
    auto offered = picture("1");
    pictures.push_back(offered);
    classifier.offer("camera " + std::to_string(i), std::move(offered));
  }
  const auto kept = std::count_if(pictures.begin(), pictures.end(), [](const auto& kept) { return !kept.expired(); });
  EXPECT_LE(kept, static_cast<std::ptrdiff_t>(Classifier::kMaxSources + 1));
}

TEST(Async, ReplacedFramesAreLetGo) {
  Told told;
  ModelServer server(held_answer);
  Classifier classifier({model(server, "m"), model(server, "n")}, kHang, told.listener());
  classifier.offer("a", picture("1"));
  ASSERT_TRUE(server.wait_for_requests(2));
  auto second = picture("2");
  const std::weak_ptr<Picture> replaced = second;
  classifier.offer("a", std::move(second));
  EXPECT_FALSE(replaced.expired());
  classifier.offer("a", picture("3"));
  EXPECT_TRUE(replaced.expired());
}

TEST(Labels, AreFetchedBeforeTheFirstRequest) {
  Told told;
  int asked = 0;
  ModelServer server([&](const std::string& path, const std::string& picture) {
    if (path != "/labels") return class_in(picture);
    return ++asked == 1 ? Reply{.status = 500} : Reply{.body = "x\ny\nz\n", .content_type = "text/plain"};
  });
  Model fetched = model(server, "m");
  fetched.labels.clear();
  fetched.labels_url = server.url("/labels");
  Classifier classifier({fetched}, kHang, told.listener());
  classifier.offer("a", picture("2"));
  EXPECT_THAT(told.wait_for(1).at(0), testing::AllOf(HasSubstr("outage"), HasSubstr("label-urls"), HasSubstr("500")));
  classifier.offer("a", picture("2"));
  EXPECT_EQ(told.wait_for(3).at(2), "a m=y");
  classifier.offer("a", picture("1"));
  EXPECT_EQ(told.wait_for(4).at(3), "a m=x");
}

TEST(Sync, EachFrameGetsItsOwnResultOfEachModel) {
  Told told;
  ModelServer server([](const std::string& path, const std::string& picture) {
    return test::prediction(path == "/v1/models/m:predict" ? std::stoi(picture) : 3, 4);
  });
  Classifier classifier({model(server, "m"), model(server, "n")}, kHang, told.listener());
  for (const char* number : {"1", "3", "2"}) {
    const Results results = classifier.classify("a", picture(number));
    ASSERT_TRUE(results);
    EXPECT_EQ(results->at(0).class_id, std::stoi(number));
    EXPECT_EQ(results->at(1).label, "c");
  }
  EXPECT_EQ(server.bodies().size(), 6U);
}

TEST(Sync, ModelsAreAskedAtOnce) {
  Told told;
  ModelServer server(held_answer);
  Classifier classifier({model(server, "m"), model(server, "n")}, kHang, told.listener());
  auto results = std::async(std::launch::async, [&] { return classifier.classify("a", picture("1")); });
  ASSERT_TRUE(server.wait_for_requests(2));
  server.release();
  EXPECT_EQ(results.get()->at(1).label, "a");
}

TEST(Sync, FrameGoesOnWithWhatIsKnownWhenTheModelFails) {
  Told told;
  ModelServer server(answer);
  Classifier classifier({model(server, "m")}, kHang, told.listener());
  EXPECT_EQ(classifier.classify("a", picture("1"))->at(0).label, "a");
  server.stop();
  EXPECT_EQ(classifier.classify("a", picture("2"))->at(0).label, "a");
  EXPECT_EQ(classifier.classify("b", picture("2"))->at(0).label, std::nullopt);
}

TEST(Sync, TimeoutBoundsTheWait) {
  Told told;
  ModelServer server(held_answer);
  Classifier classifier({model(server, "m")}, 30ms, told.listener());
  EXPECT_EQ(classifier.classify("a", picture("2"))->at(0).label, std::nullopt);
  EXPECT_THAT(told.wait_for(1).at(0), testing::AllOf(HasSubstr("within 30 ms"), HasSubstr("timeout")));
}

TEST(Sync, InterruptionEndsTheWaitUntilResumed) {
  Told told;
  ModelServer server(held_answer);
  Classifier classifier({model(server, "m")}, kHang, told.listener());
  auto results = std::async(std::launch::async, [&] { return classifier.classify("a", picture("1")); });
  ASSERT_TRUE(server.wait_for_requests(1));
  const auto start = std::chrono::steady_clock::now();
  classifier.interrupt();
  EXPECT_EQ(results.get(), nullptr);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 50ms);
  EXPECT_EQ(classifier.classify("a", picture("1")), nullptr);

  classifier.resume();
  results = std::async(std::launch::async, [&] { return classifier.classify("a", picture("3")); });
  server.release();
  ASSERT_TRUE(server.wait_for_requests(2));
  server.release();
  EXPECT_EQ(results.get()->at(0).label, "c");
  // The answer to the frame from before the interruption belongs to nothing.
  EXPECT_THAT(told.wait_for(1), ElementsAre("a m=c"));
}

TEST(Classifier, IsDestroyedWhileRequestsAreUnderWay) {
  Told told;
  ModelServer server(held_answer);
  for (int i = 0; i < 50; ++i) {
    Classifier classifier({model(server, "m"), model(server, "n")}, kHang, told.listener());
    classifier.offer("a", picture("1"));
    if (i % 2) server.wait_for_requests(static_cast<std::size_t>(i));
  }
}

TEST(Classifier, IsDestroyedWhileARetryIsDue) {
  test::RefusesCriticals refuses_criticals("libsoup");
  ModelServer server(answer);
  server.stop();
  std::promise<void> failed;
  std::promise<void> retry_is_due;
  Timer later_than_the_retry;
  EventLoop clock;
  // Holds the classifier's thread, with the retry already set, until that is due.
  const auto hold = [&](const Failure&) {
    failed.set_value();
    clock.run([&] { later_than_the_retry = Timer(Outage::kMinDelay * 2, [&] { retry_is_due.set_value(); }); });
    retry_is_due.get_future().wait();
  };
  auto classifier =
      std::make_unique<Classifier>(std::vector{model(server, "m")}, kHang, ClassifierListener{.on_outage = hold});
  classifier->offer("a", picture("1"));
  failed.get_future().wait();
  classifier->offer("a", picture("2"));
  classifier.reset();
}

}  // namespace
}  // namespace gkv
