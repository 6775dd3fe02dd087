// Priorities: the nice values that the scheduler goes by.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include "core/sys/result.hpp"

namespace core {

/// Whose nice value is meant: one process, all of a process group, or all of a real user.
enum class Whose : int { process = PRIO_PROCESS, group = PRIO_PGRP, user = PRIO_USER };

/// The nice value of `whose` `id`, -20 to 19; of several processes the lowest. 0 is the process
/// that asks, its group or its real user. ESRCH where there is no such process. getpriority(2)
Result<int> getpriority(Whose whose, id_t id);

/// Sets it, in every process that is meant; what is out of range becomes the nearest value within.
/// ESRCH where there is no such process, EPERM where it is somebody else's, EACCES where the value
/// would be lowered without a right to that. Where it fails for some processes, the others have it
/// all the same. setpriority(2)
Result<void> setpriority(Whose whose, id_t id, int value);

}  // namespace core
