"""DRAGON formula by formula: padded graphs, a vector for every edge, every layer's edge features anew.

The second implementation that ours is held against, and the baseline of the speed benchmark. Its tensors have the names
of the published checkpoints, and its batch and options are those of the golden fixtures' `inputs` and `config.json`.
"""

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from transformers import AutoConfig, AutoModel, PretrainedConfig
from transformers.activations import ACT2FN
from transformers.masking_utils import create_bidirectional_mask

Tensors = dict[str, torch.Tensor]
Options = dict[str, Any]


def gelu(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def perceptron(sizes: list[int], layer_norm: bool) -> nn.Module:
    module, layers = nn.Module(), nn.Module()
    for i in range(len(sizes) - 1):
        layers.add_module(f"{i}-Linear", nn.Linear(sizes[i], sizes[i + 1]))
        if layer_norm and i < len(sizes) - 2:
            layers.add_module(f"{i}-LayerNorm", nn.LayerNorm(sizes[i + 1]))
    module.layers = layers
    return module


def through(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    parts = dict(module.layers.named_children())
    count = sum(name.endswith("Linear") for name in parts)
    for i in range(count):
        x = parts[f"{i}-Linear"](x)
        if i < count - 1:
            x = gelu(parts[f"{i}-LayerNorm"](x) if f"{i}-LayerNorm" in parts else x)
    return x


class GraphLayer(nn.Module):
    def __init__(self, d: int, edge_encoder: nn.Module) -> None:
        super().__init__()
        self.edge_encoder = edge_encoder
        self.linear_key = nn.Linear(3 * d, d)
        self.linear_msg = nn.Linear(3 * d, d)
        self.linear_query = nn.Linear(2 * d, d)
        self.mlp = nn.Sequential(nn.Linear(d, d), nn.BatchNorm1d(d), nn.ReLU(), nn.Linear(d, d))

    def forward(self, x: torch.Tensor, extra: torch.Tensor, source: Any, target: Any, one_hots: Any) -> torch.Tensor:
        edge = self.edge_encoder(one_hots)
        d, both = x.shape[1], torch.cat([x, extra], dim=1)
        key = self.linear_key(torch.cat([both[target], edge], dim=1)).view(-1, 4, d // 4)
        message = self.linear_msg(torch.cat([both[source], edge], dim=1)).view(-1, 4, d // 4)
        query = self.linear_query(both[source]).view(-1, 4, d // 4) / math.sqrt(d // 4)
        exponents = (query * key).sum(2).exp()
        of_source = torch.zeros(len(x), 4).index_add(0, source, exponents)
        alpha = exponents / of_source[source] * torch.bincount(source, minlength=len(x))[source, None]
        weighted = (message * alpha[..., None]).view(-1, d)
        return self.mlp(torch.zeros(len(x), d).index_add(0, target, weighted))


class Naive(nn.Module):
    """A model with the options `model` and `args` of a fixture's `config.json`."""

    def __init__(self, backbone: PretrainedConfig, model: Options, args: Options) -> None:
        super().__init__()
        self.model, self.args, self.config = model, args, backbone
        d, k, hidden = model["concept_dim"], model["k"], backbone.hidden_size
        both = hidden + d
        self.lmgnn = nn.Module()
        lm = AutoModel.from_config(backbone, add_pooling_layer=True)
        lm.emb_node_type = nn.Linear(model["n_ntype"], d // 2)
        lm.emb_score = nn.Linear(d // 2, d // 2)
        lm.Vh, lm.Vx = nn.Linear(d, d), nn.Linear(d, d)
        if k >= 1:
            size = model["n_etype"] + 1 + 2 * model["n_ntype"]
            encoder = nn.Sequential(nn.Linear(size, d), nn.BatchNorm1d(d), nn.ReLU(), nn.Linear(d, d))
            lm.encoder.edge_encoder = encoder
            lm.encoder.gnn_layers = nn.ModuleList(GraphLayer(d, encoder) for _ in range(k))
            sizes = [both] + [model["ie_dim"]] * model["ie_layer_num"] + [both]
            if model["sep_ie_layers"]:
                lm.encoder.ie_layers = nn.ModuleList(perceptron(sizes, False) for _ in range(k))
            else:
                lm.encoder.ie_layer = perceptron(sizes, False)
            if args["residual_ie"] == 2:
                lm.encoder.ie_LayerNorm = nn.LayerNorm(both)
        self.lmgnn.add_module(backbone.model_type, lm)
        if k >= 0:
            self.lmgnn.concept_emb = nn.Module()
            self.lmgnn.concept_emb.emb = nn.Embedding(model["n_concept"] + 2, model["concept_in_dim"])
            if model["concept_in_dim"] != d:
                self.lmgnn.concept_emb.cpt_transform = nn.Linear(model["concept_in_dim"], d)
            self.lmgnn.pooler = nn.Module()
            self.lmgnn.pooler.w_qs = nn.Linear(hidden, d)
            self.lmgnn.pooler.w_ks, self.lmgnn.pooler.w_vs = nn.Linear(d, d), nn.Linear(d, d)
        pooled = hidden + 2 * d if k >= 0 else hidden
        self.lmgnn.fc = perceptron([pooled] + [model["fc_dim"]] * model["n_fc_layer"] + [1], True)
        if args["mlm_task"]:
            self._add_lm_head(hidden)
        if args["link_task"]:
            self.lmgnn.linkpred = nn.Module()
            width = d // 2 if args["link_decoder"] == "RotatE" else d
            self.lmgnn.linkpred.w_relation = nn.Parameter(torch.empty(model["n_etype"], width))
            if args["link_proj_headtail"]:
                self.lmgnn.linkpred_proj = nn.Linear(d, d)
            if args["link_normalize_headtail"] == 3:
                self.lmgnn.emb_LayerNorm = nn.LayerNorm(d)

    def _add_lm_head(self, hidden: int) -> None:
        vocabulary, eps = self.config.vocab_size, self.config.layer_norm_eps
        dense, norm, decoder = nn.Linear(hidden, hidden), nn.LayerNorm(hidden, eps=eps), nn.Linear(hidden, vocabulary)
        if self.config.model_type == "roberta":
            self.lmgnn.lm_head = nn.Module()
            self.lmgnn.lm_head.dense, self.lmgnn.lm_head.layer_norm = dense, norm
            head = self.lmgnn.lm_head
        else:
            self.lmgnn.cls = nn.Module()
            self.lmgnn.cls.predictions = head = nn.Module()
            head.transform = nn.Module()
            head.transform.dense, head.transform.LayerNorm = dense, norm
            self.lmgnn.cls.seq_relationship = nn.Linear(hidden, 2)
        head.decoder = decoder
        head.bias = decoder.bias
        decoder.weight = self.lm.embeddings.word_embeddings.weight

    @property
    def lm(self) -> Any:
        return getattr(self.lmgnn, self.config.model_type)

    def forward(self, inputs: Tensors) -> Tensors:
        """The fixture's outputs of its inputs."""
        questions, choices = inputs["adj_lengths"].shape
        text, nodes = self.encode(inputs)
        output = {"text_hidden": text, "pooled": self.lm.pooler(text), "node_hidden": nodes}
        if self.args["end_task"]:
            output["logits"] = self.logits(inputs, output["pooled"], nodes).view(questions, choices)
        zero = torch.zeros(())
        output["mlm_loss"] = self.mlm_loss(inputs, text) * questions if self.args["mlm_task"] else zero
        losses = self.link_losses(inputs, nodes) if self.args["link_task"] else (zero, zero, zero)
        for name, loss in zip(("link_loss", "link_pos_loss", "link_neg_loss"), losses, strict=True):
            output[name] = loss * questions
        return output

    def encode(self, inputs: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden states of text [B, T, hidden] and node slots [B, slots, d]."""
        ids = inputs["lm_input_ids" if self.args["mlm_task"] else "input_ids"].flatten(0, 1)
        types = None if self.config.model_type == "roberta" else inputs["token_type_ids"].flatten(0, 1)
        text = self.lm.embeddings(input_ids=ids, token_type_ids=types)
        mask = create_bidirectional_mask(self.config, text, inputs["attention_mask"].flatten(0, 1))
        k, d = self.model["k"], self.model["concept_dim"]
        batch, slots = len(ids), inputs["concept_ids"].shape[-1]
        real = torch.arange(slots) < inputs["adj_lengths"].view(-1, 1)
        node_types = inputs["node_type_ids"].view(batch, slots)
        entered = self.entities(inputs["concept_ids"].view(batch, slots), d)
        extra = self.extra(node_types, inputs["node_scores"].view(batch, slots), real)
        edges = self.edges(inputs, node_types) if k >= 1 else ()
        x, layers = entered, self.lm.encoder.layer
        for i, layer in enumerate(layers):
            text = layer(text, mask)
            fused = i - (len(layers) - k)
            if k >= 1 and fused >= 0:
                updated = self.lm.encoder.gnn_layers[fused](x.flatten(0, 1), extra.flatten(0, 1), *edges)
                x = gelu(updated).view(batch, slots, d)
                exchange = self.model["info_exchange"]
                if exchange is True or (exchange == "every-other-layer" and fused % 2 == 0):
                    text, x = self.exchange(text, x, fused)
        nodes = gelu(self.lm.Vh(entered) + self.lm.Vx(x))
        return text, nodes * real[..., None]

    def entities(self, concept_ids: torch.Tensor, d: int) -> torch.Tensor:
        if self.model["k"] < 0:
            return torch.zeros(*concept_ids.shape, d)
        table = self.lmgnn.concept_emb
        vectors = table.emb((concept_ids - 1).clamp(min=0))
        if self.model["concept_in_dim"] != d:
            vectors = gelu(table.cpt_transform(vectors))
        return torch.cat([torch.zeros_like(vectors[:, :1]), vectors[:, 1:]], dim=1)

    def extra(self, node_types: torch.Tensor, scores: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        if self.args["no_node_score"]:
            s = torch.zeros_like(scores)
        else:
            s = (-scores + scores[:, :1]) * real
            s = s / (s.abs().sum(1, keepdim=True) / real.sum(1, keepdim=True) + 1e-5)
        waves = torch.sin(1.1 ** torch.arange(self.model["concept_dim"] // 2) * s[..., None])
        one_hot = F.one_hot(node_types, self.model["n_ntype"]).float()
        return torch.cat([gelu(self.lm.emb_node_type(one_hot)), gelu(self.lm.emb_score(waves))], dim=-1)

    def edges(self, inputs: Tensors, node_types: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        names, slots = graph_names(inputs), node_types.shape[1]
        loops = torch.arange(node_types.numel())
        source = torch.cat([inputs[f"edge_index.{n}"][0] + i * slots for i, n in enumerate(names)] + [loops])
        target = torch.cat([inputs[f"edge_index.{n}"][1] + i * slots for i, n in enumerate(names)] + [loops])
        loop = self.model["n_etype"]
        kind = torch.cat([inputs[f"edge_type.{n}"] for n in names] + [torch.full_like(loops, loop)])
        types, size = node_types.flatten(), self.model["n_ntype"]
        parts = [F.one_hot(kind, loop + 1), F.one_hot(types[source], size), F.one_hot(types[target], size)]
        return source, target, torch.cat(parts, dim=1).float()

    def exchange(self, text: torch.Tensor, x: torch.Tensor, fused: int) -> tuple[torch.Tensor, torch.Tensor]:
        u = torch.cat([text[:, 0], x[:, 0]], dim=1)
        encoder = self.lm.encoder
        out = through(encoder.ie_layers[fused] if self.model["sep_ie_layers"] else encoder.ie_layer, u)
        match self.args["residual_ie"]:
            case 1:
                out = u + out
            case 2:
                out = encoder.ie_LayerNorm(u + out)
        first, node = out.split([text.shape[-1], x.shape[-1]], dim=1)
        return torch.cat([first[:, None], text[:, 1:]], 1), torch.cat([node[:, None], x[:, 1:]], 1)

    def logits(self, inputs: Tensors, pooled: torch.Tensor, nodes: torch.Tensor) -> torch.Tensor:
        if self.model["k"] < 0:
            return through(self.lmgnn.fc, pooled)
        batch, slots, d = nodes.shape
        kept = torch.arange(slots) < inputs["adj_lengths"].view(-1, 1)
        kept = kept & (inputs["node_type_ids"].view(batch, slots) != 3)
        kept[~kept.any(1), 0] = True
        heads = self.model["n_attention_head"]
        query = self.lmgnn.pooler.w_qs(pooled).view(batch, 1, heads, d // heads)
        key = self.lmgnn.pooler.w_ks(nodes).view(batch, slots, heads, d // heads)
        value = self.lmgnn.pooler.w_vs(nodes).view(batch, slots, heads, d // heads)
        scores = (query * key).sum(-1) / math.sqrt(d / heads)
        attention = scores.masked_fill(~kept[..., None], -torch.inf).softmax(dim=1)
        graphs = (attention[..., None] * value).sum(1).view(batch, d)
        return through(self.lmgnn.fc, torch.cat([graphs, pooled, nodes[:, 0]], dim=1))

    def mlm_loss(self, inputs: Tensors, text: torch.Tensor) -> torch.Tensor:
        if self.config.model_type == "roberta":
            head = self.lmgnn.lm_head
            scores = head.decoder(head.layer_norm(F.gelu(head.dense(text))))
        else:
            head = self.lmgnn.cls.predictions
            activation = ACT2FN[self.config.hidden_act]
            scores = head.decoder(head.transform.LayerNorm(activation(head.transform.dense(text))))
        return F.cross_entropy(scores.flatten(0, 1), inputs["lm_labels"].flatten())

    def link_losses(self, inputs: Tensors, nodes: torch.Tensor) -> tuple[torch.Tensor, ...]:
        names, slots, args = graph_names(inputs), nodes.shape[1], self.args
        vectors = nodes.flatten(0, 1)
        if args["link_proj_headtail"]:
            vectors = self.lmgnn.linkpred_proj(vectors)
        match args["link_normalize_headtail"]:
            case 1:
                vectors = vectors / vectors.norm(dim=1, keepdim=True).detach()
            case 2:
                vectors = vectors.tanh()
            case 3:
                vectors = self.lmgnn.emb_LayerNorm(vectors)
        triples = [inputs[f"pos_triples.{n}"] for n in names]
        head = torch.cat([t[0] + i * slots for i, t in enumerate(triples)])
        tail = torch.cat([t[2] + i * slots for i, t in enumerate(triples)])
        relation = self.lmgnn.linkpred.w_relation[torch.cat([t[1] for t in triples])][:, None]
        negatives = torch.cat([inputs[f"neg_nodes.{n}"] + i * slots for i, n in enumerate(names)])
        half = negatives.shape[1] // 2
        h, t = vectors[head][:, None], vectors[tail][:, None]
        positive = self.score(h, relation, t)[:, 0]
        of_heads = self.score(vectors[negatives[:, :half]], relation, t)
        negative = torch.cat([of_heads, self.score(h, relation, vectors[negatives[:, half : 2 * half]])], dim=1)
        regularization = args["link_regularizer_weight"] * self.lmgnn.linkpred.w_relation.square().mean()
        if not len(head):
            return regularization, torch.zeros(()), torch.zeros(())
        likelihood = F.logsigmoid(-negative)
        if args["link_negative_adversarial_sampling"]:
            temperature = args["link_negative_adversarial_sampling_temperature"]
            of_negatives = ((temperature * negative).softmax(1).detach() * likelihood).sum(1)
        else:
            of_negatives = likelihood.mean(1)
        losses = -F.logsigmoid(positive).mean(), -of_negatives.mean()
        return sum(losses) / 2 + regularization, *losses

    def score(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        d, gamma = self.model["concept_dim"], self.args["link_gamma"]
        if self.args["link_decoder"] == "DistMult":
            return (h * r * t).sum(-1) / (math.sqrt(d) if self.args["scaled_distmult"] else 1)
        width = (gamma + 2) / d
        h, t = h * width / math.sqrt(3), t * width / math.sqrt(3)
        if self.args["link_decoder"] == "TransE":
            return gamma - (h + r - t).norm(dim=-1)
        real, imaginary = h.chunk(2, -1)
        turned = torch.complex(real, imaginary) * torch.polar(torch.ones_like(r), r / (width / math.pi))
        return gamma - (turned - torch.complex(*t.chunk(2, -1))).abs().sum(-1)


def graph_names(inputs: Tensors) -> list[str]:
    questions, choices = inputs["adj_lengths"].shape
    return [f"{question}.{choice}" for question in range(questions) for choice in range(choices)]


def naive_of(values: Options) -> Naive:
    """The model that a fixture's `config.json` describes."""
    backbone = AutoConfig.for_model(values["backbone"], **values["backbone_config"])
    return Naive(backbone, values["model"], values["args"])
