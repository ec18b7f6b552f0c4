#include "broker/access/permissions.h"

namespace millrace::broker {
namespace {

Error forbidden(const Grant& grant, const std::string& what) {
  return {ErrorCode::forbidden, "the key '" + grant.name + "' (" + name_of(grant.role) +
                                    ") may not " + what + "; use another key or ask the operator"};
}

std::string use_of(const std::string& queue) {
  return "use the queue '" + queue + "'";
}

// Each answers whether, and with what words not.
struct ClientRules {
  const Grant& grant;
  using Answer = std::optional<Error>;

  Answer operator()(const ClientHello&) const { return as_client(); }
  Answer operator()(const Submit&) const { return as_client(); }
  Answer operator()(const Watch&) const { return as_client(); }
  Answer operator()(const Cancel&) const { return as_client(); }
  Answer operator()(const GetTasks&) const { return as_client(); }
  Answer operator()(const ListTasks&) const { return as_client(); }
  Answer operator()(const RequeueDead&) const { return as_admin("requeue dead tasks"); }
  Answer operator()(const PurgeDead&) const { return as_admin("purge dead tasks"); }
  Answer operator()(const ControlQueue&) const { return as_admin("control queues"); }
  Answer operator()(const DrainWorker&) const { return as_admin("control workers"); }
  Answer operator()(const GetStatus&) const { return as_client(); }
  Answer operator()(const Ping&) const { return as_client(); }
  Answer operator()(const ClientGoodbye&) const { return as_client(); }
  Answer operator()(const Explain&) const { return as_client(); }
  Answer operator()(const ChangeTasks&) const { return as_admin("change tasks by what they are"); }

  Answer as_client() const {
    switch (grant.role) {
      case Role::client:
      case Role::admin:
      case Role::door:
        return std::nullopt;
      case Role::worker:
        break;
    }
    return forbidden(grant, "act as a client");
  }
  Answer as_admin(const char* what) const {
    switch (grant.role) {
      case Role::admin:
      case Role::door:
        return std::nullopt;
      case Role::client:
      case Role::worker:
        break;
    }
    return forbidden(grant, what);
  }
};

struct WorkerRules {
  const Grant& grant;
  using Answer = std::optional<Error>;

  Answer operator()(const WorkerHello& hello) const {
    if (Answer refused = as_worker()) return refused;
    for (const std::string& queue : hello.queues) {
      if (!grant.queues.includes(queue)) return forbidden(grant, use_of(queue));
    }
    return std::nullopt;
  }
  Answer operator()(const Complete&) const { return as_worker(); }
  Answer operator()(const Extend&) const { return as_worker(); }
  Answer operator()(const WorkerGoodbye&) const { return as_worker(); }

  Answer as_worker() const {
    if (may_beat(grant)) return std::nullopt;
    return forbidden(grant, "act as a worker");
  }
};

}  // namespace

std::optional<Error> refusal(const Grant& grant, const ClientMessage& message) {
  return std::visit(ClientRules{grant}, message);
}

std::optional<Error> refusal(const Grant& grant, const WorkerMessage& message) {
  return std::visit(WorkerRules{grant}, message);
}

bool may_beat(const Grant& grant) {
  return grant.role == Role::worker || grant.role == Role::door;
}

void mark_items_out_of_scope(const Grant& grant, Submit& submit) {
  if (grant.queues.is_everything()) return;
  for (SubmitItem& item : submit.tasks) {
    if (item.problem.has_value() || grant.queues.includes(item.spec.queue)) continue;
    item.problem = forbidden(grant, use_of(item.spec.queue));
  }
}

}  // namespace millrace::broker
