#include "ctl/api/audit.h"

#include "ctl/api/fields.h"

namespace ctl::api {

template <>
struct Fields<AuditCounts> {
  using T = AuditCounts;
  static constexpr std::tuple kFields{Field{"decided", &T::decided}, Field{"written", &T::written},
                                      Field{"folded", &T::folded}, Field{"lost", &T::lost},
                                      Field{"waiting", &T::waiting}};
};

template <>
struct Fields<AuditOutput> {
  using T = AuditOutput;
  static constexpr std::tuple kFields{Field{"name", &T::name},       Field{"path", &T::path},
                                      Field{"sent", &T::sent},       Field{"missed", &T::missed},
                                      Field{"waiting", &T::waiting}, Field{"trouble", &T::trouble}};
};

template <>
struct Fields<AuditReport> {
  using T = AuditReport;
  static constexpr std::tuple kFields{Field{"file", &T::file},
                                      Field{"sequence", &T::sequence},
                                      Field{"hash", &T::hash},
                                      Field{"counts", &T::counts},
                                      Field{"since_start", &T::since_start},
                                      Field{"bytes_free", &T::bytes_free},
                                      Field{"trouble", &T::trouble},
                                      Field{"outputs", &T::outputs}};
};

template <>
struct Fields<AuditFinding> {
  using T = AuditFinding;
  static constexpr std::tuple kFields{Field{"file", &T::file}, Field{"line", &T::line},
                                      Field{"what", &T::what}};
};

template <>
struct Fields<AuditVerified> {
  using T = AuditVerified;
  static constexpr std::tuple kFields{
      Field{"intact", &T::intact}, Field{"files", &T::files},       Field{"lines", &T::lines},
      Field{"first", &T::first},   Field{"last", &T::last},         Field{"hash", &T::hash},
      Field{"counts", &T::counts}, Field{"findings", &T::findings}, Field{"notes", &T::notes}};
};

template std::string encode(const AuditReport&);
template std::string encode(const AuditVerified&);
template std::expected<AuditReport, std::string> decode(std::string_view);
template std::expected<AuditVerified, std::string> decode(std::string_view);

}  // namespace ctl::api
