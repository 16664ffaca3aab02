#include "rules/kernel_plan.h"

#include "rules/plan_update.h"

namespace rules {

PlanChange KernelPlan::update(const Policy& policy) {
  return PlanUpdate(state_, policy, many_rules_).run();
}

}  // namespace rules
