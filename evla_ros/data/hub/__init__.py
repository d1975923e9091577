# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Hugging Face hub: datasets and checkpoints are sent and fetched when their name is given.

Through huggingface_hub; its token (`hf auth login`, `HF_TOKEN`) and endpoint (`HF_ENDPOINT`) are
its own and never looked at.
"""
