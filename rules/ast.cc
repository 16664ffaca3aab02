#include "rules/ast.h"

#include "rules/byte_block.h"

namespace rules::ast {

Word WordList::operator[](std::size_t index) const {
  const auto& [offset, length] = places_[index];
  const std::string_view before = std::string_view(first_.source->text).substr(0, offset);
  const std::size_t lines = byte_block::count(before.substr(first_.offset), '\n');
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return {text(index),
          {first_.source, offset, first_.line + static_cast<std::uint32_t>(lines),
           static_cast<std::uint32_t>(offset - line_begin + 1), length}};
}

}  // namespace rules::ast
