#pragma once

#include <chrono>
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
class Outage {
 public:
  enum class Report {
    kWarning,  ///< the outage begins
    kNote,     ///< it goes on, but the trouble is one that this outage had not had yet
    kNothing,
  };

  Report failed(Trouble trouble);

  /// @return how many requests had failed; 0: there was no outage
  unsigned answered();

  /// How long to wait before the model is asked again: doubles with each failure, up to kMaxDelay, so that a server
  /// is asked within a second of its return.
  std::chrono::milliseconds delay() const;

  static constexpr std::chrono::milliseconds kMinDelay{50};
  static constexpr std::chrono::milliseconds kMaxDelay{800};

 private:
  unsigned failures_ = 0;
  std::set<Trouble> seen_;
};

}  // namespace gkv
