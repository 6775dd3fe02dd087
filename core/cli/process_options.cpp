#include "core/cli/process_options.hpp"

#include "core/cli/account_option.hpp"

namespace cli {

std::expected<core::ProcessAttributes, out::Stop> attributes_of(ProcessArgs& args) {
  core::ProcessAttributes& attributes = args;
  if (args.clear_environment) {
    attributes.environment.insert(attributes.environment.begin(),
                                  {.how = core::EnvironmentChange::How::clear});
  }
  for (auto& stream : attributes.streams) {
    if (stream) stream->append = args.append;
  }
  attributes.ids = TRY(ids_of(args.user, args.group, args.groups));
  return std::move(attributes);
}

}  // namespace cli
