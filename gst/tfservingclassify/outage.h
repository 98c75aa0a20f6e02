#pragma once

#include <chrono>
#include <map>
#include <set>

namespace gkv {

/// Why a model gave no result.
enum class Trouble {
  kUnreachable,  ///< no connection, or it broke
  kTimeout,      ///< no answer in time
  kRefused,      ///< an HTTP status other than 200
  kNonsense,     ///< an answer that is no classification
  kLabels,       ///< its labels could not be fetched
  kPicture,      ///< the frame could not be encoded
};

/// From a model's first failure to its next answer: what is to be said of it, and when to ask again.
///
/// A model that fails for one frame in ten has an outage at each of them. So a cause is warned of once a minute: an
/// outage that begins within the minute is silent at first, and warned of if it lasts until the minute is over.
class Outage {
 public:
  using Clock = std::chrono::steady_clock;

  enum class Report {
    kWarning,  ///< the outage is told of
    kNote,     ///< it goes on, but the trouble is one that this outage had not had yet
    kNothing,
  };

  Report failed(Trouble trouble, Clock::time_point now);

  /// @return how many requests had failed in an outage that was told of; 0: nothing was told
  unsigned answered();

  /// How long to wait before the model is asked again: doubles with each failure, up to kMaxDelay, so that a server
  /// is asked within a second of its return.
  std::chrono::milliseconds delay() const;

  static constexpr std::chrono::milliseconds kMinDelay{50};
  static constexpr std::chrono::milliseconds kMaxDelay{800};
  static constexpr std::chrono::minutes kWarningInterval{1};

 private:
  unsigned failures_ = 0;
  bool told_ = false;       ///< of this outage
  std::set<Trouble> seen_;  ///< in this outage
  std::map<Trouble, Clock::time_point> warned_;
};

}  // namespace gkv
