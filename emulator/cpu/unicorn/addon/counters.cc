// SPDX-License-Identifier: MIT
// Counters, marks, and forgetting blocks that no longer describe the code.
#include <cstring>

#include "engine.h"

/** counters(): [cycles, instructions, id of the block last entered or -1, its end, cycles if it is left elsewhere, pipeline state it was entered in] */
Napi::Value Engine::counters(const Napi::CallbackInfo &info) {
  Napi::Float64Array answer = Napi::Float64Array::New(info.Env(), 6);
  answer[0] = static_cast<double>(cycles_);
  answer[1] = static_cast<double>(instructions_);
  answer[2] = pending_ == &idleBlock_ ? -1 : static_cast<double>(pending_->id);
  answer[3] = pending_->end;
  answer[4] = pendingCost().takenCycles;
  answer[5] = pendingState_;
  return answer;
}

/** addCounters(cycles, instructions): corrects for a block left half way; both may be negative. */
Napi::Value Engine::addCounters(const Napi::CallbackInfo &info) {
  cycles_ += static_cast<int64_t>(real(info, 0));
  instructions_ += static_cast<int64_t>(real(info, 1));
  return info.Env().Undefined();
}

/** leaveBlock(end, state): the pending block was left half way, the pipeline being in that state; or -1: what follows is reached by a branch. */
Napi::Value Engine::leaveBlock(const Napi::CallbackInfo &info) {
  uint32_t id = pending_->id;
  carried_ = Block();
  carried_.end = number(info, 0);
  carried_.costs.resize(1);
  carried_.costs[0].next = number(info, 1);
  carried_.id = id;
  pendingState_ = 0;
  pending_ = real(info, 0) < 0 ? &idleBlock_ : &carried_;
  return info.Env().Undefined();
}

/** setMark(address, records, callsBack); neither removes the mark. */
Napi::Value Engine::setMark(const Napi::CallbackInfo &info) {
  if (isClosed()) return Env().Undefined();
  uint32_t address = number(info, 0);
  std::unique_ptr<Mark> &mark = marks_[address];
  if (!mark) mark = std::make_unique<Mark>();
  mark->address = address;
  mark->records = flag(info, 1);
  mark->callsBack = flag(info, 2);
  dropBlocks();
  return info.Env().Undefined();
}

/** takeMarkLog(address): what the mark has recorded since it was last taken, as cycles, instructions pairs. */
Napi::Value Engine::takeMarkLog(const Napi::CallbackInfo &info) {
  auto mark = marks_.find(number(info, 0));
  size_t length = mark == marks_.end() ? 0 : mark->second->log.size();
  Napi::Float64Array answer = Napi::Float64Array::New(info.Env(), length);
  if (length > 0) {
    memcpy(answer.Data(), mark->second->log.data(), length * sizeof(double));
    mark->second->log.clear();
  }
  return answer;
}

void Engine::dropBlocks() {
  if (pending_ != &idleBlock_) {
    if (pending_ != &carried_) carried_ = *pending_;
    pending_ = &carried_;
  }
  for (Block &block : blocks_) {
    Region *region = regionOf(block.start);
    if (region != nullptr) region->blocks[(block.start - region->start) >> 1] = nullptr;
  }
  blocks_.clear();
}

/** forgetBlocks(): describes every block anew, keeping the translated code. */
Napi::Value Engine::forgetBlocks(const Napi::CallbackInfo &info) {
  if (isClosed()) return Env().Undefined();
  dropBlocks();
  return info.Env().Undefined();
}

/** forgetCode(): memory changed from outside; blocks are translated and described anew. */
Napi::Value Engine::forgetCode(const Napi::CallbackInfo &info) {
  if (isClosed()) return Env().Undefined();
  dropBlocks();
  for (Region &region : regions_) {
    uc_ctl_remove_cache(uc_, static_cast<uint64_t>(region.start), region.start + region.bytes);
  }
  return info.Env().Undefined();
}
