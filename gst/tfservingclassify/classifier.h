#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/failure.h"
#include "common/frame/frame.h"
#include "common/glue/guarded.h"
#include "event_loop.h"
#include "latest_frames.h"
#include "model_client.h"
#include "picture.h"
#include "results_by_source.h"

namespace gkv {

/// Who is told what happens; called from the classifier's thread, with no lock held.
struct ClassifierListener {
  std::function<void(const std::string& source, const Classification&)> on_result;
  std::function<void(const Failure&)> on_outage;  ///< a model fails; once for each outage, see Outage
  std::function<void(const Failure&)> on_notice;  ///< an outage has another cause now, or is over
};

/// Asks models about the frames of any number of sources, and knows what they last said of each source.
///
/// One thread does all requests. Each model has one request under way at most; when it becomes idle it takes the
/// newest frame of the source that has waited longest. Older frames are given up unasked, so that what waits is
/// bounded: one frame for each of kMaxSources sources, kept by reference.
class Classifier {
 public:
  static constexpr std::size_t kMaxSources = 1000;

  /// @param models  one or more
  /// @param timeout  of a request
  Classifier(std::vector<Model> models, std::chrono::milliseconds timeout, ClassifierListener listener);
  /// Cancels what is under way, and does not wait for the network.
  ~Classifier();

  /// Offers a frame to the models, and does not wait for them.
  /// @return what they said of the source's earlier frames
  Results offer(const std::string& source, std::shared_ptr<Picture> picture);

  /// Asks the models about a frame, and waits until each has answered or failed. A model that is given time to recover
  /// from a failure is not asked.
  /// @return what they said of this frame, and of earlier ones where they failed; null when interrupted
  Results classify(const std::string& source, std::shared_ptr<Picture> picture);

  /// Ends classify() at once, now and until resume(). From any thread.
  void interrupt();

  /// Allows classify() again, and forgets all frames and results.
  void resume();

 private:
  /// Held by whoever may still ask about the frame; the last to let go ends the wait of classify().
  using Ticket = std::shared_ptr<void>;

  struct Frame {
    std::string source;
    std::shared_ptr<Picture> picture;
    Ticket ticket;            ///< null: nobody waits
    std::uint64_t epoch = 0;  ///< resume() begins a new one
  };

  struct ModelState {
    LatestFrames<Frame> waiting;
    bool asked = false;    ///< a request is under way
    bool resting = false;  ///< until it is time to ask again after a failure
  };

  struct Shared {
    std::vector<ModelState> models;
    std::optional<ResultsBySource> results;
    std::uint64_t epoch = 0;
    bool woken = false;  ///< the thread is about to look for idle models
  };

  class Waiting;
  class Worker;

  Results enter(Frame frame);

  Guarded<Shared> shared_;
  std::shared_ptr<Waiting> waiting_;
  std::unique_ptr<Worker> worker_;  ///< lives on the thread of loop_
  std::unique_ptr<EventLoop> loop_;
};

}  // namespace gkv
