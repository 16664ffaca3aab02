// What a plan emits as one table of values, and changes that are made to such a table.
#pragma once

#include "rules/kernel_plan.h"

namespace tests {

// Sets by name, the rest as it is emitted.
rules::nft::Table table_of(const rules::KernelPlan& plan);

// Fails the test where something is to be taken away that isn't there, or made that is.
void apply(rules::PlanChange change, rules::nft::Table& table);

// All by name, members and elements in order: two tables that mean the same are equal.
void sort_table(rules::nft::Table& table);

}  // namespace tests
