#include "ctl/api/status.h"

#include "ctl/api/diagnostic_fields.h"
#include "ctl/api/fields.h"

namespace ctl::api {

template <>
struct Fields<PolicyStatus> {
  using T = PolicyStatus;
  static constexpr std::tuple kFields{Field{"file", &T::file},     Field{"hash", &T::hash},
                                      Field{"rules", &T::rules},   Field{"sets", &T::sets},
                                      Field{"loaded", &T::loaded}, Field{"cut", &T::cut}};
};

template <>
struct Fields<DefaultActions> {
  static constexpr std::tuple kFields{Field{"in", &DefaultActions::in},
                                      Field{"out", &DefaultActions::out}};
};

template <>
struct Fields<Worker> {
  static constexpr std::tuple kFields{Field{"queue", &Worker::queue},
                                      Field{"packets", &Worker::packets},
                                      Field{"depth", &Worker::depth},
                                      Field{"dropped", &Worker::dropped},
                                      Field{"user_dropped", &Worker::user_dropped},
                                      Field{"send_errors", &Worker::send_errors},
                                      Field{"enobufs", &Worker::enobufs}};
};

template <>
struct Fields<Queue> {
  static constexpr std::tuple kFields{Field{"first", &Queue::first}, Field{"last", &Queue::last},
                                      Field{"expression", &Queue::expression},
                                      Field{"workers", &Queue::workers}};
};

template <>
struct Fields<AuditStatus> {
  using T = AuditStatus;
  static constexpr std::tuple kFields{Field{"file", &T::file},       Field{"written", &T::written},
                                      Field{"folded", &T::folded},   Field{"lost", &T::lost},
                                      Field{"waiting", &T::waiting}, Field{"trouble", &T::trouble}};
};

template <>
struct Fields<CopyStatus> {
  using T = CopyStatus;
  static constexpr std::tuple kFields{
      Field{"active", &T::active},     Field{"since", &T::since},     Field{"reason", &T::reason},
      Field{"episodes", &T::episodes}, Field{"packets", &T::packets}, Field{"allowed", &T::allowed},
      Field{"denied", &T::denied},     Field{"metered", &T::metered}, Field{"shed", &T::shed}};
};

template <>
struct Fields<Conntrack> {
  static constexpr std::tuple kFields{Field{"entries", &Conntrack::entries},
                                      Field{"limit", &Conntrack::limit}};
};

template <>
struct Fields<Status> {
  using T = Status;
  static constexpr std::tuple kFields{Field{"version", &T::version},
                                      Field{"pid", &T::pid},
                                      Field{"uptime_seconds", &T::uptime_seconds},
                                      Field{"mode", &T::mode},
                                      Field{"enabled", &T::enabled},
                                      Field{"generation", &T::generation},
                                      Field{"policy", &T::policy},
                                      Field{"defaults", &T::defaults},
                                      Field{"builtins", &T::builtins},
                                      Field{"queue", &T::queue},
                                      Field{"kernel_copy", &T::kernel_copy},
                                      Field{"audit", &T::audit},
                                      Field{"conntrack", &T::conntrack},
                                      Field{"warnings", &T::warnings}};
};

template <>
struct Fields<ActionCounts> {
  using T = ActionCounts;
  static constexpr std::tuple kFields{Field{"allow", &T::allow}, Field{"deny", &T::deny},
                                      Field{"reject", &T::reject}, Field{"limit", &T::limit}};
};

template <>
struct Fields<DirectionCounts> {
  static constexpr std::tuple kFields{Field{"in", &DirectionCounts::in},
                                      Field{"out", &DirectionCounts::out}};
};

template <>
struct Fields<KernelCopy> {
  static constexpr std::tuple kFields{
      Field{"allow", &KernelCopy::allow}, Field{"deny", &KernelCopy::deny},
      Field{"limit", &KernelCopy::limit}, Field{"shed", &KernelCopy::shed}};
};

template <>
struct Fields<VerdictTimes> {
  static constexpr std::tuple kFields{Field{"p50", &VerdictTimes::p50},
                                      Field{"p99", &VerdictTimes::p99}};
};

template <>
struct Fields<Stats> {
  static constexpr std::tuple kFields{Field{"packets", &Stats::packets},
                                      Field{"reasons", &Stats::reasons},
                                      Field{"kernel_copy", &Stats::kernel_copy},
                                      Field{"revoked", &Stats::revoked},
                                      Field{"workers", &Stats::workers},
                                      Field{"verdict_microseconds", &Stats::verdict_microseconds}};
};

template <>
struct Fields<Nothing> {
  static constexpr std::tuple<> kFields{};
};
template <>
inline constexpr bool kIsRequest<Nothing> = true;

template <>
struct Fields<Enabled> {
  static constexpr std::tuple kFields{Field{"enabled", &Enabled::enabled},
                                      Field{"already", &Enabled::already},
                                      Field{"warnings", &Enabled::warnings}};
};

template <>
struct Fields<ChangeMode> {
  static constexpr std::tuple kFields{Field{"mode", &ChangeMode::mode}};
};
template <>
inline constexpr bool kIsRequest<ChangeMode> = true;

template <>
struct Fields<ModeChanged> {
  static constexpr std::tuple kFields{Field{"mode", &ModeChanged::mode},
                                      Field{"already", &ModeChanged::already}};
};

template std::string encode(const Status&);
template std::string encode(const Stats&);
template std::string encode(const Nothing&);
template std::string encode(const Enabled&);
template std::string encode(const ChangeMode&);
template std::string encode(const ModeChanged&);
template std::expected<Status, std::string> decode(std::string_view);
template std::expected<Stats, std::string> decode(std::string_view);
template std::expected<Nothing, std::string> decode(std::string_view);
template std::expected<Enabled, std::string> decode(std::string_view);
template std::expected<ChangeMode, std::string> decode(std::string_view);
template std::expected<ModeChanged, std::string> decode(std::string_view);

}  // namespace ctl::api
